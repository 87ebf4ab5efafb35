// SPDX-License-Identifier: MIT
//
// Owns sections for tests that say for which machines they are: `.dtbauto`, `.efifw`, and the
// `.hwids` that chooses among them.
#pragma once

#include <string>
#include <vector>

#include "efi/format/hardware_ids.h"
#include "host-tests/format/sample_device_tree.h"
#include "host-tests/format/sample_pe.h"

namespace keelson::sample {

// `boards`: several with a NUL between them.
inline Section dtbauto(const std::string& boards) {
  return {".dtbauto", device_tree_of(boards + '\0')};
}
inline Section efifw(const std::string& id) {
  struct Header {
    Le<std::uint32_t> magic = 0xfeeddead, header_size = 16, id_size, payload_size = 4;
  } header;
  header.id_size = static_cast<std::uint32_t>(id.size() + 1);
  return {".efifw", std::string(text_of(bytes_of_struct(header))) + id + '\0' + "data"};
}

struct Device {
  hardware_ids::DeviceKind kind;
  std::string id;
};
// Records that bind `machine`, by its hardware id of that type, to the devices.
inline Section hwids(const hardware_ids::Machine& machine, const std::vector<Device>& devices,
                     std::size_t type = 9) {
  constexpr std::size_t size = sizeof(hardware_ids::Record);
  const auto ids = hardware_ids::make_ids(machine);
  std::string records, texts;
  for (const Device& device : devices) {
    hardware_ids::Record record{};
    record.descriptor =
        static_cast<std::uint32_t>(device.kind) << 28 | static_cast<std::uint32_t>(size);
    if (ids.has_value()) record.chid = (*ids)[type];
    record.id_offset = static_cast<std::uint32_t>(size * (devices.size() + 1) + texts.size());
    records += text_of(bytes_of_struct(record));
    texts += device.id + '\0';
  }
  return {".hwids", records + std::string(size, '\0') + texts};
}

}  // namespace keelson::sample
