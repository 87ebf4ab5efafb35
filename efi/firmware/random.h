// SPDX-License-Identifier: MIT
//
// Owns the firmware's random numbers (EFI_RNG_PROTOCOL), and what of a machine never comes twice:
// its monotonic counter and its clock.
#pragma once

#include <array>

#include "efi/firmware/handle.h"

namespace keelson::efi {

// Fills `out`. `system_table` is an EFI_SYSTEM_TABLE: the stack guard is made before anything else
// knows it. Errors: not_found (no such protocol), firmware ("not ready" is common).
Result<> fill_random(void* system_table, MutableBytes out);

Result<> fill_random(MutableBytes out);

// Grows with every call and every boot (UEFI 2.10, 7.5.4). Error: firmware.
Result<std::uint64_t> next_monotonic_count();

// EFI_TIME as the firmware's clock has it (UEFI 2.10, 8.3). Error: firmware; many clocks fail.
using RawTime = std::array<std::byte, 16>;
Result<RawTime> raw_time();

}  // namespace keelson::efi
