// SPDX-License-Identifier: MIT
//
// Owns GUIDs: mixed-endian bytes as UEFI stores them (UEFI 2.10, appendix A), the consteval literal
// "607f766c-7455-42be-930b-e4d76db2720f"_guid, and their text.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "efi/base/wire.h"

namespace keelson {

struct Guid {
  std::array<std::uint8_t, 16> bytes{};  // in memory order: u32, u16, u16 little-endian, then 8 bytes
  friend constexpr bool operator==(const Guid&, const Guid&) = default;
  friend constexpr auto operator<=>(const Guid&, const Guid&) = default;
  constexpr bool is_zero() const { return *this == Guid{}; }
};
static_assert(sizeof(Guid) == 16 && alignof(Guid) == 1);

namespace detail {
// Text position of each stored byte's first digit.
constexpr std::array<std::uint8_t, 16> guid_digit = {6,  4,  2,  0,  11, 9,  16, 14,
                                                     19, 21, 24, 26, 28, 30, 32, 34};
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace detail

// Parses 36 characters, either case. Error: malformed.
constexpr Result<Guid> parse_guid(std::string_view text) {
  if (text.size() != 36) return fail(Errc::malformed, "GUID is not 36 characters", text.size());
  for (const std::size_t dash : {8u, 13u, 18u, 23u})
    if (text[dash] != '-') return fail(Errc::malformed, "GUID without dash", dash);
  Guid guid;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t at = detail::guid_digit[i];
    const int high = detail::hex_value(text[at]);
    const int low = detail::hex_value(text[at + 1]);
    if (high < 0 || low < 0) return fail(Errc::malformed, "GUID with a bad digit", at);
    guid.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return guid;
}

enum class LetterCase : std::uint8_t { lower, upper };
// 36 characters, no terminator.
constexpr std::array<char, 36> to_text(const Guid& guid, LetterCase letters = LetterCase::lower) {
  const std::string_view digits =
      letters == LetterCase::lower ? "0123456789abcdef" : "0123456789ABCDEF";
  std::array<char, 36> text{};
  for (const std::size_t dash : {8u, 13u, 18u, 23u}) text[dash] = '-';
  for (std::size_t i = 0; i < 16; ++i) {
    text[detail::guid_digit[i]] = digits[guid.bytes[i] >> 4];
    text[detail::guid_digit[i] + 1u] = digits[guid.bytes[i] & 15];
  }
  return text;
}

consteval Guid operator""_guid(const char* text, std::size_t size) {
  const auto parsed = parse_guid(std::string_view(text, size));
  if (!parsed.has_value()) __builtin_abort();  // not a constant expression: a bad digit does not compile
  return *parsed;
}

}  // namespace keelson
