// SPDX-License-Identifier: MIT
//
// Owns collecting what may be added to the boot from outside the image: each directory is listed
// once, each file read once. What becomes of it is decided elsewhere.
#pragma once

#include "efi/base/diagnostics.h"
#include "efi/firmware/image.h"
#include "stub/gathered.h"
#include "stub/plan_image.h"

namespace keelson::stub {

// What cannot be read, or is refused, is left out with a message. Error: out_of_memory.
Result<Gathered> gather(const efi::Image& self, const Facts& facts, Diagnostics& diagnostics);

}  // namespace keelson::stub
