// SPDX-License-Identifier: MIT
//
// Any bytes as `.hwids`, as an EDID and as an SMBIOS table: a device that is found has texts in the
// input, and ids that are made are version 5 UUIDs.
#include "efi/format/hardware_ids.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto panel = hardware_ids::parse_edid(input);
  const auto machine = hardware_ids::machine_of(
      smbios::Table(input), panel.has_value() ? std::optional(*panel) : std::nullopt);
  auto ids = hardware_ids::make_ids(machine);
  if (!ids.has_value()) __builtin_trap();
  for (const Guid& id : *ids)
    if (!id.is_zero() && ((id.bytes[7] & 0xf0) != 0x50 || (id.bytes[8] & 0xc0) != 0x80))
      __builtin_trap();

  // The input's own first record is of this machine, so that matches are found.
  if (size >= 20) __builtin_memcpy(&(*ids)[3], data + 4, sizeof(Guid));
  for (const auto kind :
       {hardware_ids::DeviceKind::device_tree, hardware_ids::DeviceKind::uefi_firmware}) {
    const auto device = hardware_ids::find_device(input, *ids, kind);
    if (!device.has_value()) continue;
    for (const std::string_view text : {device->name, device->id}) {
      if (text.empty()) continue;
      const char* const first = text_of(input).data();
      if (text.data() < first || text.data() + text.size() >= first + size) __builtin_trap();
    }
  }
  return 0;
}
