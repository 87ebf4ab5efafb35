// SPDX-License-Identifier: MIT
// For builds that prove hardening: linked with /wrap around the name of the program's own entry
// (efi/firmware/entry.h), so that the whole program is there but first reads past the end of a
// span. Its last words must appear, and whoever started it must get control back
// (qemu/test_last_words.py).

#include <array>
#include <cstddef>
#include <span>

#include "efi/firmware/entry.h"

namespace keelson::efi {

// The linker's names for what is wrapped, and for what replaces it.
extern const Program wrapped_program asm("__real__ZN7keelson3efi12this_programE");
extern const Program failing_program asm("__wrap__ZN7keelson3efi12this_programE");

namespace {

Result<> fail_a_check(Image& self) {
  volatile std::size_t past_the_end = 4;  // the compiler must not see that it is
  std::array<char, 4> letters = {'a', 'b', 'c', 'd'};
  const volatile char letter = std::span<char>(letters)[past_the_end];
  static_cast<void>(letter);
  return wrapped_program.run(self);
}

}  // namespace

const Program failing_program = {.name = u"bounds test", .run = fail_a_check};

}  // namespace keelson::efi
