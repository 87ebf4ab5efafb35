// SPDX-License-Identifier: MIT
//
// Owns text between UTF-8 (files) and UTF-16 (UEFI), ASCII case, numbers, and what may be shown on
// a screen. Overlong forms, surrogates in UTF-8 and unpaired surrogates never decode.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "efi/base/page_list.h"

namespace keelson {

// What happens to a sequence that does not decode, or to a character UCS-2 cannot hold.
enum class BadText : std::uint8_t {
  drop,     // options and everything measured: as systemd does, stub.md 3.2 (also above U+FFFF)
  replace,  // texts that are shown: U+FFFD
  refuse,   // paths: error malformed
};

// UTF-8 to UTF-16 without terminator; stops at the first NUL. Errors: malformed (refuse only),
// out_of_memory when `out` is too small; `out` of utf8.size() units always suffices.
Result<std::u16string_view> to_utf16(std::string_view utf8, BadText policy,
                                     std::span<char16_t> out);
// The same into an arena; a NUL follows the view.
Result<std::u16string_view> to_utf16(std::string_view utf8, BadText policy, TextArena& arena);
// UTF-16 to UTF-8; stops at the first NUL; unpaired surrogates become U+FFFD. 3 bytes per unit
// always suffice. Error: out_of_memory.
Result<std::string_view> to_utf8(std::u16string_view utf16, std::span<char> out);
Result<std::string_view> to_utf8(std::u16string_view utf16, TextArena& arena);

// The parts one after the other; a NUL follows the view. Error: out_of_memory.
Result<std::u16string_view> concatenate(std::initializer_list<std::u16string_view> parts,
                                        TextArena& arena);

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char16_t to_lower(char16_t c) {
  return c >= u'A' && c <= u'Z' ? static_cast<char16_t>(c + 32) : c;
}

// Comparisons that fold ASCII letters only.
template <class Char>
constexpr bool equal_ignoring_case(std::basic_string_view<Char> a, std::basic_string_view<Char> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return equal_ignoring_case<char>(a, b);
}
constexpr bool equal_ignoring_case(std::u16string_view a, std::u16string_view b) {
  return equal_ignoring_case<char16_t>(a, b);
}
constexpr bool ends_with_ignoring_case(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         equal_ignoring_case(text.substr(text.size() - suffix.size()), suffix);
}
constexpr bool ends_with_ignoring_case(std::u16string_view text, std::u16string_view suffix) {
  return text.size() >= suffix.size() &&
         equal_ignoring_case(text.substr(text.size() - suffix.size()), suffix);
}

// Decimal digits only, no sign, no blanks; nullopt if empty, over `max` or anything else.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max);
std::optional<std::uint64_t> parse_decimal(std::u16string_view text, std::uint64_t max);

// A number's digits, held inside the object.
class Decimal {
 public:
  explicit Decimal(std::uint64_t value, std::size_t minimum_width = 1);
  operator std::string_view() const { return {digits_.data() + start_, digits_.size() - start_}; }

 private:
  std::array<char, 20> digits_{};
  std::size_t start_ = 20;
};

// Control characters (C0, DEL, C1) and bidirectional controls replaced by U+FFFD, in place (R9 of
// the rules).
void make_printable(std::span<char16_t> text);

}  // namespace keelson
