// SPDX-License-Identifier: MIT
//
// Owns how a program begins and ends: what is global while it runs (system table, image handle,
// undo list; beside them only the stack guard), saved and put back, because in the simulation two
// programs share a process; and the way out of a program whose invariant failed (last_words.h).
#pragma once

#include "efi/firmware/image.h"

namespace keelson::efi {

struct Program {
  // Begins the line that last words print; a literal ("keelson-stub").
  const char16_t* name;
  Result<> (*run)(Image& self);
};

// Runs `program` as the image `own` and returns its status. Everything registered for undoing is
// undone. efi_main (efi_main.cpp) and the simulation call this; `system_table` is an
// EFI_SYSTEM_TABLE.
Status run(Handle own, void* system_table, const Program& program);

// What efi_main runs. Each program defines it, in a file that only its firmware build has:
//   constinit const Program keelson::efi::this_program = {u"keelson-stub", stub::boot};
extern const Program this_program;

// Our own image handle. Only while a program runs.
Handle own_handle();

// Which image has control at the moment, for last words inside its callbacks: image.cpp says so
// around StartImage. Returns what was noted before.
Handle exchange_started_image(Handle image);

// The call of an image placed in memory that is under way; what it is only call_entry.cpp knows.
void* current_call();
void* exchange_current_call(void* call);

// The hooks in front of the firmware's verification that are in place; what they are only
// security_hooks.cpp knows.
void* current_security_hooks();
void* exchange_security_hooks(void* hooks);

}  // namespace keelson::efi
