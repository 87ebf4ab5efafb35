// SPDX-License-Identifier: MIT
//
// Owns reading the Secure Boot state (R7 of the security rules) and which shim is there. What
// follows from it is policy of the programs; each calls this once and keeps the answer.
#pragma once

#include "efi/firmware/variables.h"

namespace keelson::efi {

// Absent variable: off. Any other failure, wrong size or wrong attributes: on.
bool is_secure_boot_on(const Variables& variables);

struct Shim {
  bool lock = false;          // any shim that kept its protocol
  bool image_loader = false;  // shim 16 and later: LoadImage verifies through it
};
Shim find_shim();

}  // namespace keelson::efi
