// SPDX-License-Identifier: MIT
// Owns the way out of a program whose invariant failed (design: "last words").
// efi/runtime/abort.cpp makes the line; efi/firmware/entry.cpp implements this.
#pragma once

#include <cstdint>

// Prints the program's name and `line` (NUL-terminated, no line break) through the
// system table, runs the undo list and leaves through Exit(); resets the machine if
// that returns. Works before the entry point has set anything up (then it resets).
// Must not use anything that can fail a check.
extern "C" [[noreturn]] void keelson_last_words(const char16_t* line) noexcept;

// The stack protector's guard (defined in efi/runtime/abort.cpp). The entry point
// sets it, in a function without stack protector, before it calls anything else.
extern "C" std::uintptr_t __stack_chk_guard;
