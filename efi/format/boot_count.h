// SPDX-License-Identifier: MIT
//
// Owns boot counters in file names, "fedora+3-1.conf" (UAPI.1, "Boot counting"; design decision
// 18): reading every form, the name after a try.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "efi/base/text.h"

namespace keelson {

constexpr std::uint32_t max_tries = 0x7FFF'FFFF;

struct BootCount {
  std::uint32_t tries_left = 0;
  std::uint32_t tries_done = 0;
  // Digits as written, kept when counting. done_width 0: only tries left are written.
  std::size_t left_width = 1;
  std::size_t done_width = 0;

  bool exhausted() const { return tries_left == 0; }
  friend bool operator==(const BootCount&, const BootCount&) = default;
};

struct CountedName {
  std::u16string_view stem;    // never empty
  std::u16string_view suffix;  // ".conf", ".efi", as written
  std::optional<BootCount> count;
};

// Splits a file name ending in ".conf" or ".efi" (any case) at its last "+". A text after "+" that
// is not a counter (no digits, more text, above max_tries) stays part of the stem. Errors:
// malformed for other suffixes, and for names that consist of a counter or suffix alone
// ("+3.conf", ".efi").
Result<CountedName> parse_counted_name(std::u16string_view name);

// The counter after one more try: a try less, one more done, each kept at its number of digits
// ("+10" becomes "+09-1"; done stops at the largest number of its width).
BootCount after_try(BootCount count);

// The file name with `count` (nullopt: without), in `arena`. Errors: out_of_memory; unsupported if
// it exceeds 255 characters.
Result<std::u16string_view> write_counted_name(const CountedName& name,
                                               std::optional<BootCount> count, TextArena& arena);

}  // namespace keelson
