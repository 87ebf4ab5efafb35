// SPDX-License-Identifier: MIT
//
// Owns gathering facts (facts.h): our own image, how we were started, what the
// platform is, what has been reported already. Asks nothing of policy.
#pragma once

#include "efi/firmware/image.h"
#include "efi/firmware/tpm.h"
#include "stub/facts.h"

namespace keelson::stub {

// Texts live in `texts` or in firmware memory. What the platform cannot answer is left at its
// default. Errors: our own headers are bad (which the firmware should have refused), out_of_memory.
Result<Facts> observe(const efi::Image& self, const efi::Tpm& tpm, TextArena& texts);

}  // namespace keelson::stub
