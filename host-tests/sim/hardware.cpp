// SPDX-License-Identifier: MIT
//
// What the machine is (hardware.h).
#include "host-tests/sim/hardware.h"

#include <sys/mman.h>

#include <cstring>

#include "host-tests/format/sample_smbios.h"

namespace keelson::sim {

using efi::Status;
namespace status = efi::status;

struct Hardware::Panel {
  std::string edid;
  EFI_EDID_DISCOVERED_PROTOCOL protocol{};
};

struct Hardware::PciDevice {
  EFI_PCI_IO_PROTOCOL protocol{};
  Calls* calls = nullptr;
  std::uint16_t vendor = 0, device = 0;

  static EFI_STATUS EFIAPI read(EFI_PCI_IO_PROTOCOL* self, EFI_PCI_IO_PROTOCOL_WIDTH width,
                                UINT32 offset, UINTN count, void* buffer) {
    auto& pci = *reinterpret_cast<PciDevice*>(self);
    if (const auto failure = pci.calls->enter("PciIo.Read")) return *failure;
    if (width != EfiPciIoWidthUint16 || offset != 0 || count > 2) return status::unsupported;
    const std::uint16_t words[] = {pci.vendor, pci.device};
    std::memcpy(buffer, words, 2 * count);
    return status::success;
  }
};

Hardware::Hardware(Calls& calls, Configuration& configuration)
    : calls_(calls), configuration_(configuration) {}

Hardware::~Hardware() {
  release(version_2_);
  release(version_3_);
}

void Hardware::keep(std::string_view structures, Table& table) {
  release(table);
  table.size = structures.size();
  void* const at = mmap(nullptr, table.size + 1, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  table.structures = static_cast<char*>(at);
  std::memcpy(table.structures, structures.data(), structures.size());
}

void Hardware::release(Table& table) {
  if (table.structures != nullptr) munmap(table.structures, table.size + 1);
  table.structures = nullptr;
}

void Hardware::set_smbios_3(std::string_view structures) {
  keep(structures, version_3_);
  version_3_.entry_point =
      sample::smbios_entry_point_3(reinterpret_cast<std::uintptr_t>(version_3_.structures),
                                   static_cast<std::uint32_t>(version_3_.size));
  configuration_.set(efi::table_guid::smbios3, version_3_.entry_point.data());
}

void Hardware::set_smbios_2(std::string_view structures) {
  keep(structures, version_2_);
  version_2_.entry_point = sample::smbios_entry_point_2(
      static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(version_2_.structures)),
      static_cast<std::uint16_t>(version_2_.size));
  configuration_.set(efi::table_guid::smbios, version_2_.entry_point.data());
}

void Hardware::add_panel(std::string_view edid) {
  auto panel = std::make_unique<Panel>(Panel{.edid = std::string(edid)});
  panel->protocol.SizeOfEdid = static_cast<UINT32>(panel->edid.size());
  panel->protocol.Edid = reinterpret_cast<UINT8*>(panel->edid.data());
  panels_.push_back(std::move(panel));
}

void Hardware::add_pci_device(std::uint16_t vendor, std::uint16_t device) {
  auto pci = std::make_unique<PciDevice>();
  pci->protocol.Pci.Read = PciDevice::read;
  pci->calls = &calls_;
  pci->vendor = vendor;
  pci->device = device;
  pci_devices_.push_back(std::move(pci));
}

void Hardware::add_text_output(std::string_view device_path) {
  text_outputs_.push_back(std::make_unique<std::string>(device_path));
}

void Hardware::install(Handles& handles, Handle console) {
  namespace guid = efi::protocol_guid;
  for (const auto& panel : panels_)
    handles.add(nullptr, guid::edid_discovered, panel->edid.empty() ? nullptr : &panel->protocol);
  for (const auto& pci : pci_devices_) handles.add(nullptr, guid::pci_io, &pci->protocol);
  for (const auto& path : text_outputs_) {
    // Nobody writes on it: only its way is of interest.
    const Handle output = handles.add(nullptr, guid::text_output, nullptr);
    if (!path->empty()) handles.add(output, guid::device_path, path->data());
  }
  if (!console_path_.empty()) handles.add(console, guid::device_path, console_path_.data());
}

}  // namespace keelson::sim
