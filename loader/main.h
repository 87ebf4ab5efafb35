// SPDX-License-Identifier: MIT
//
// Owns the loader's contents page: one run, from the firmware's call to its return.
#pragma once

#include "efi/firmware/image.h"

namespace keelson::loader {

// Comes back if there is nothing to start, or whoever sits at the keyboard leaves. Error: the first
// that kept an entry from starting.
Result<> boot(efi::Image& self);

}  // namespace keelson::loader
