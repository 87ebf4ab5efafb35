// SPDX-License-Identifier: MIT
// For builds that prove hardening: as self_test_bounds.cpp, but writes past the end of an array
// on the stack, which the stack protector notices at the return.

#include <cstddef>

#include "efi/firmware/entry.h"

namespace keelson::efi {

extern const Program wrapped_program asm("__real__ZN7keelson3efi12this_programE");
extern const Program failing_program asm("__wrap__ZN7keelson3efi12this_programE");

namespace {

[[gnu::noinline]] void overwrite_stack() {
  char small[16] = {};
  volatile char* at = small;
  volatile std::size_t size = 40;  // the compiler must not see that it is too much
  for (std::size_t i = 0; i < size; ++i) at[i] = 'x';
}

Result<> fail_a_check(Image& self) {
  overwrite_stack();
  return wrapped_program.run(self);
}

}  // namespace

const Program failing_program = {.name = u"stack test", .run = fail_a_check};

}  // namespace keelson::efi
