// SPDX-License-Identifier: MIT
//
// Owns asking the firmware what this machine is. What fits it is candidates.h's.
#pragma once

#include "stub/candidates.h"

namespace keelson::stub {

// Texts live in firmware memory. `smbios` is empty where the host must not be believed. What the
// firmware cannot tell is left empty.
Hardware observe_hardware(const smbios::Table& smbios);

}  // namespace keelson::stub
