// SPDX-License-Identifier: MIT
//
// Owns reading the Secure Boot state (R7 of the security rules) and which shim is there. What
// follows from it is policy of the programs; each calls this once and keeps the answer.
#pragma once

#include "efi/firmware/variables.h"

namespace keelson::efi {

struct SecureBoot {
  // Absent variable: off. Any other failure, wrong size or wrong attributes: on.
  bool enabled = true;
  // For display and key enrolment only; missing or malformed counts as off.
  bool setup_mode = false;
  bool audit_mode = false;
  bool deployed_mode = false;
};
SecureBoot read_secure_boot(const Variables& variables);

struct Shim {
  bool lock = false;           // any shim that kept its protocol
  bool image_loader = false;   // shim 16 and later: LoadImage verifies through it
  bool security_arch = false;  // both security architectural protocols are there to be hooked
};
Shim find_shim();

}  // namespace keelson::efi
