// SPDX-License-Identifier: MIT
//
// Owns how a program begins and ends: the system table and image handle (the only two globals
// beside the undo list and the stack guard; saved and put back, because in the simulation two
// programs share a process), the undo list, and the way out of a program whose invariant failed
// (last_words.h).
#pragma once

#include "efi/firmware/image.h"

namespace keelson::efi {

using Application = Result<> (*)(Image& self);

// Runs `application` as the image `own` and returns its status. Everything registered for undoing
// is undone. efi_main (efi_main.cpp) and the simulation call this.
Status run(Handle own, void* system_table, Application application);

// What efi_main runs. Each program defines it, in a file that only its firmware build has:
//   Result<> keelson::efi::program(Image& self) { return stub::boot(self); }
Result<> program(Image& self);

// Our own image handle. Only while a program runs.
Handle own_handle();

}  // namespace keelson::efi
