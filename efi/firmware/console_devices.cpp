// SPDX-License-Identifier: MIT
//
// Consoles of the machine (console_devices.h).
#include "efi/firmware/console_devices.h"

#include "efi/firmware/cpu.h"
#include "efi/firmware/protocol.h"
#include "efi/format/device_path.h"

namespace keelson::efi {
namespace {

struct PciId {
  UINT16 vendor = 0, device = 0;
};

constexpr UINT16 virtio_vendor = 0x1af4;
// As devices of before virtio 1.0 are called too, and those that are nothing else.
constexpr UINT16 virtio_console_transitional = 0x1003, virtio_console_modern = 0x1043;

// The serial port on the way to a device; nullopt if there is none, or if the path is broken.
std::optional<std::uint32_t> serial_port_on(Bytes path) {
  device_path::Walk walk(path);
  for (auto node = walk.next(); node.has_value() && *node; node = walk.next()) {
    const auto acpi = device_path::read_acpi(**node);
    if (acpi && acpi->hid == device_path::acpi_serial_port) return acpi->uid;
  }
  return std::nullopt;
}

// The one port that text outputs lead to; nullopt if they lead to several.
std::optional<std::uint32_t> only_serial_port() {
  const auto outputs = HandleList::with_protocol(protocol_guid::text_output);
  if (!outputs.has_value()) return std::nullopt;
  std::optional<std::uint32_t> only;
  for (const Handle output : *outputs) {
    const auto path = device_path_of(output);
    if (!path.has_value()) continue;
    const auto port = serial_port_on(*path);
    if (!port) continue;
    if (only && *only != *port) return std::nullopt;
    only = port;
  }
  return only;
}

// The console itself says where its text goes. Only one without a path stands for several devices.
std::optional<std::uint32_t> find_serial_port() {
  const auto path = device_path_of(system_table().ConsoleOutHandle);
  if (path.has_value()) return serial_port_on(*path);
  return path.error().code == Errc::not_found ? only_serial_port() : std::nullopt;
}

std::optional<PciId> pci_id_of(Handle device) {
  auto* const pci = interface_on<EFI_PCI_IO_PROTOCOL>(device);
  if (pci == nullptr) return std::nullopt;
  UINT16 words[2] = {};  // as the configuration space begins
  if (failed(pci->Pci.Read(pci, EfiPciIoWidthUint16, 0, 2, words))) return std::nullopt;
  return PciId{.vendor = words[0], .device = words[1]};
}

std::uint32_t count_virtio_consoles() {
  const auto devices = HandleList::with_protocol(protocol_guid::pci_io);
  if (!devices.has_value()) return 0;
  std::uint32_t count = 0;
  for (const Handle device : *devices) {
    const auto id = pci_id_of(device);
    if (id && id->vendor == virtio_vendor &&
        (id->device == virtio_console_transitional || id->device == virtio_console_modern))
      ++count;
  }
  return count;
}

}  // namespace

ConsoleFacts find_consoles() {
  ConsoleFacts facts;
  if (cpu::has_pc_serial_ports()) facts.pc_serial_port = find_serial_port();
  facts.virtio_consoles = count_virtio_consoles();
  facts.graphics = is_protocol_present(protocol_guid::graphics_output);
  return facts;
}

}  // namespace keelson::efi
