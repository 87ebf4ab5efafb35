// SPDX-License-Identifier: MIT
//
// Owns the firmware's random numbers (EFI_RNG_PROTOCOL).
#pragma once

#include "efi/firmware/handle.h"

namespace keelson::efi {

// Fills `out`. Errors: not_found (no such protocol), firmware ("not ready" is common).
Result<> fill_random(MutableBytes out);

}  // namespace keelson::efi
