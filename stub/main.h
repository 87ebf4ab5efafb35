// SPDX-License-Identifier: MIT
//
// Owns the stub as a program: a unified kernel image in, a running kernel out.
#pragma once

#include "efi/firmware/image.h"

namespace keelson::stub {

// Returns only if no kernel took over; everything changed outside the program is then undone. PCRs
// stay extended.
Result<> boot(efi::Image& self);

}  // namespace keelson::stub
