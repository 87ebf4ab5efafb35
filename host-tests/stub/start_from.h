// SPDX-License-Identifier: MIT
//
// Owns starting a UKI from a program that has loaded it and prepares something first: protocols,
// fields of its loaded-image record, variables.
#pragma once

#include <functional>

#include "efi/firmware/uefi.h"
#include "efi/format/device_path.h"
#include "host-tests/sim/sample_machine.h"

namespace keelson::sim {

struct Starter {
  efi::Image& self;
  efi::LoadedImage image;

  EFI_LOADED_IMAGE_PROTOCOL& record() {
    return *static_cast<EFI_LOADED_IMAGE_PROTOCOL*>(
        Firmware::current().handles().find(image.handle(), efi::protocol_guid::loaded_image));
  }
};

inline Run start_from(Machine& machine, std::u16string_view path,
                      const std::function<void(Starter&)>& prepare) {
  // A kernel that takes over never comes back to what was made below.
  const std::vector<std::byte> file = machine.esp().content(path);
  return machine.run([&](efi::Image& self) -> Result<> {
    TextArena texts;
    const Bytes volume = TRY(efi::device_path_of(self.device()));
    const MutableBytes room = TRY(texts.reserve(
        volume.size() + device_path::file_path_size(path) + device_path::end_size, 8));
    Writer writer(room);
    TRY(device_path::append_file_on(writer, volume, path));
    Starter starter{self, TRY(efi::LoadedImage::load(self, {.device_path = room, .source = file}))};
    prepare(starter);
    return starter.image.start();
  });
}

}  // namespace keelson::sim
