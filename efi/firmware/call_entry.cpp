// SPDX-License-Identifier: MIT
//
// The jump into an image that was placed in memory. Alone in its file because the simulation cannot
// execute images and replaces it.
#include "efi/firmware/image.h"
#include "efi/firmware/uefi.h"

namespace keelson::efi {

Status call_entry(const std::byte* entry, Handle image) {
  const auto function =
      reinterpret_cast<EFI_IMAGE_ENTRY_POINT>(reinterpret_cast<std::uintptr_t>(entry));
  return function(image, &system_table());
}

}  // namespace keelson::efi
