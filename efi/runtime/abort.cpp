// SPDX-License-Identifier: MIT
// Owns what a failed invariant says: checks of libc++ hardening, the stack
// protector, abort(). Each makes one line and hands it to the firmware layer
// (efi/firmware/last_words.h), which prints it, undoes what this program changed
// outside itself and leaves. Nothing here may fail a check itself.

#include <cstddef>
#include <cstdint>

#include "efi/firmware/last_words.h"

extern "C" const char __ImageBase;  // made by the linker

namespace {

// One line on the stack; what does not fit is cut.
struct Line {
  char16_t text[240] = {};
  std::size_t length = 0;

  void put(char16_t c) {
    if (length + 1 < sizeof(text) / sizeof(text[0])) text[length++] = c;
  }
  void put(const char* ascii) {
    for (; *ascii != '\0'; ++ascii)
      if (*ascii != '\n') put(static_cast<char16_t>(static_cast<unsigned char>(*ascii)));
  }
  void put_hex(std::uint64_t value) {
    put("0x");
    int shift = 60;
    while (shift > 0 && (value >> shift) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) put(u"0123456789abcdef"[(value >> shift) & 15]);
  }
};

[[noreturn]] void stop(const char* what) {
  Line line;
  line.put(what);
  keelson_last_words(line.text);
}

}  // namespace

extern "C" {

// A value nobody guesses is put here by the entry point. Odd, and with a zero
// byte in the middle, in case something goes wrong before that.
std::uintptr_t __stack_chk_guard = 0x595e9f0073b3a1dbu;

[[noreturn, gnu::no_stack_protector]] void __stack_chk_fail() {
  Line line;
  line.put("stack overwritten, found in the function at RVA ");
  line.put_hex(reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) -
               reinterpret_cast<std::uintptr_t>(&__ImageBase));
  keelson_last_words(line.text);
}

[[noreturn]] void keelson_check_failed(const char* message) noexcept { stop(message); }

[[noreturn]] void abort() { stop("abort() was called"); }

// Virtual functions and destructors refer to these; reaching them is a bug.
[[noreturn]] void __cxa_pure_virtual() { stop("a pure virtual function was called"); }

}  // extern "C"

namespace std::inline __1 {

[[noreturn]] void __libcpp_verbose_abort(const char* format, ...) noexcept { stop(format); }

}  // namespace std::inline __1
