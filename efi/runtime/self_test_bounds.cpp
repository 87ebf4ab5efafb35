// SPDX-License-Identifier: MIT
// For builds that prove hardening: linked with /wrap around the program's own entry, so that
// the whole program is there but first reads past the end of a span. Its last words must
// appear, and whoever started it must get control back (qemu/test_hardening.py).

#include <array>
#include <cstddef>
#include <span>

#include "efi/firmware/entry.h"

namespace keelson::efi {

// The linker's names for the program that is wrapped, and for what replaces it.
Result<> wrapped_program(Image& self) asm("__real__ZN7keelson3efi7programERNS0_5ImageE");
Result<> failing_program(Image& self) asm("__wrap__ZN7keelson3efi7programERNS0_5ImageE");

Result<> failing_program(Image& self) {
  volatile std::size_t past_the_end = 4;  // the compiler must not see that it is
  std::array<char, 4> letters = {'a', 'b', 'c', 'd'};
  const volatile char letter = std::span<char>(letters)[past_the_end];
  static_cast<void>(letter);
  return wrapped_program(self);
}

}  // namespace keelson::efi
