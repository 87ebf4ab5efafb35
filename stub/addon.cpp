// SPDX-License-Identifier: MIT
//
// Owns the base program of signed add-ons (UAPI.5): a valid EFI image that carries sections, and is
// loaded to have them verified, but never started. Started all the same, it refuses. Its `.sbat`
// comes from the builder.
#include <cstdint>

#include "efi/format/identity.h"

namespace {

// Without an absolute address the linker writes no base relocations, and images without them are
// refused by some firmware. This constant points to itself.
[[gnu::section(".rdata"), gnu::used]] const void* const relocated = &relocated;

[[gnu::section(".sdmagic"), gnu::used]] constexpr auto magic = keelson::identity::addon_sdmagic;

}  // namespace

extern "C" std::uint64_t efi_main(void* image, void* system_table);
extern "C" std::uint64_t efi_main(void*, void*) {
  constexpr std::uint64_t efi_unsupported = std::uint64_t{1} << 63 | 3;
  return efi_unsupported;
}
