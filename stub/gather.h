// SPDX-License-Identifier: MIT
//
// Owns collecting what may be added to the boot from outside the image: each directory is listed
// once, each file read once. What becomes of it is decided elsewhere.
#pragma once

#include "efi/firmware/image.h"
#include "stub/gathered.h"
#include "stub/plan_image.h"
#include "stub/screen.h"

namespace keelson::stub {

// What cannot be read, or is refused, is left out with a message; without a volume of our own there
// is nothing. Error: out_of_memory.
Result<Gathered> gather(const efi::Image& self, const Facts& facts, const ImagePlan& image,
                        Screen& screen);

}  // namespace keelson::stub
