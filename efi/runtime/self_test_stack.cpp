// SPDX-License-Identifier: MIT
// For builds that prove hardening: as self_test_bounds.cpp, but writes past the end of an array
// on the stack, which the stack protector notices at the return.

#include <cstddef>

#include "efi/firmware/entry.h"

namespace keelson::efi {

Result<> wrapped_program(Image& self) asm("__real__ZN7keelson3efi7programERNS0_5ImageE");
Result<> failing_program(Image& self) asm("__wrap__ZN7keelson3efi7programERNS0_5ImageE");

namespace {

[[gnu::noinline]] void overwrite_stack() {
  char small[16] = {};
  volatile char* at = small;
  volatile std::size_t size = 40;  // the compiler must not see that it is too much
  for (std::size_t i = 0; i < size; ++i) at[i] = 'x';
}

}  // namespace

Result<> failing_program(Image& self) {
  overwrite_stack();
  return wrapped_program(self);
}

}  // namespace keelson::efi
