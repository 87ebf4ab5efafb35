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
  bool security_arch =
      false;  // what LoadImage asks can be hooked; only looked for where it matters

  // LoadImage does not ask this shim by itself (stub.md 4): security_hooks.h does it.
  bool needs_hooks() const { return lock && !image_loader && security_arch; }
  // LoadedImage::load asks shim, in one way or the other.
  bool verifies() const { return image_loader || needs_hooks(); }
};
Shim find_shim();

}  // namespace keelson::efi
