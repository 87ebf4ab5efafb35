// SPDX-License-Identifier: MIT
//
// Owns the firmware's random numbers (EFI_RNG_PROTOCOL).
#pragma once

#include "efi/firmware/handle.h"

namespace keelson::efi {

// Fills `out`. `system_table` is an EFI_SYSTEM_TABLE: the stack guard is made before anything else
// knows it. Errors: not_found (no such protocol), firmware ("not ready" is common).
Result<> fill_random(void* system_table, MutableBytes out);

}  // namespace keelson::efi
