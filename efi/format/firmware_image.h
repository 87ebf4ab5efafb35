// SPDX-License-Identifier: MIT
//
// Owns the header of `.efifw` sections (stub.md 1.4): firmware for a device that a UKI carries.
// Which one is selected is decided by hardware ids; nobody applies it.
#pragma once

#include <string_view>

#include "efi/base/wire.h"

namespace keelson {

inline constexpr std::uint32_t firmware_image_magic = 0xfeeddead;
// What a section begins with; the id and the payload follow.
struct FirmwareImageHeader {
  Le<std::uint32_t> magic = firmware_image_magic;
  Le<std::uint32_t> header_size = 16;  // this struct, and what later versions add
  Le<std::uint32_t> id_size;           // with its NUL
  Le<std::uint32_t> payload_size;
};
static_assert(sizeof(FirmwareImageHeader) == 16);

struct FirmwareImage {
  std::string_view id;  // as in the records of .hwids
  Bytes payload;
};
// Errors: truncated, malformed (magic, header length, id without NUL).
Result<FirmwareImage> parse_firmware_image(Bytes section);

}  // namespace keelson
