// SPDX-License-Identifier: MIT
//
// Owns ending the boot by other ways than a start: resets, power, the firmware's setup. Each comes
// back only if the firmware cannot do it; the error then says so.
#pragma once

#include "loader/interface.h"

namespace keelson::loader {

Error reboot(const Machine& machine);
Error power_off(const Machine& machine);
Error reboot_to_firmware(const Machine& machine);

}  // namespace keelson::loader
