// SPDX-License-Identifier: MIT
//
// Owns the header of `.efifw` sections (stub.md 1.4): firmware for a device that a UKI carries.
// Which one is selected is decided by hardware ids; nobody applies it.
#pragma once

#include <string_view>

#include "efi/base/bytes.h"

namespace keelson {

struct FirmwareImage {
  std::string_view id;  // as in the records of .hwids
  Bytes payload;
};
// Errors: truncated, malformed (magic, header length, id without NUL).
Result<FirmwareImage> parse_firmware_image(Bytes section);

}  // namespace keelson
