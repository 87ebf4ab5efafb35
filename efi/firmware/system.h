// SPDX-License-Identifier: MIT
//
// Owns the machine as a whole: who made the firmware, configuration tables, the watchdog, resets.
#pragma once

#include <string_view>

#include "efi/firmware/handle.h"

namespace keelson::efi {

struct FirmwareInfo {
  std::u16string_view vendor;       // up to 256 units; empty if the firmware names none
  std::uint32_t revision = 0;       // the vendor's: high and low 16 bits
  std::uint32_t uefi_revision = 0;  // the specification's: 0x2003c is 2.60
};
FirmwareInfo firmware_info();

// nullptr if there is no such table.
const void* configuration_table(const Guid& guid);
// Puts `table` in the place of the table of that GUID, if there is one; nullptr takes it away. The
// memory stays the caller's, and a table that was there before stays where it is. Errors: not_found
// (nothing to take away), out_of_memory, firmware.
Result<> install_configuration_table(const Guid& guid, const void* table);

// Five minutes from now, as at the start of an application. A firmware that refuses is left alone.
void rearm_watchdog();

enum class Reset : std::uint8_t { cold, warm, power_off };
// Comes back only if the firmware cannot.
void reset_machine(Reset how);

}  // namespace keelson::efi
