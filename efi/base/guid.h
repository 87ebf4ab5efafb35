// SPDX-License-Identifier: MIT
//
// Owns GUIDs: mixed-endian bytes as UEFI stores them (UEFI 2.10, appendix A), the consteval literal
// "607f766c-7455-42be-930b-e4d76db2720f"_guid, and their text.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "efi/base/hex.h"
#include "efi/base/wire.h"

namespace keelson {

struct Guid {
  std::array<std::uint8_t, 16>
      bytes{};  // in memory order: u32, u16, u16 little-endian, then 8 bytes
  friend constexpr bool operator==(const Guid&, const Guid&) = default;
  friend constexpr auto operator<=>(const Guid&, const Guid&) = default;
  constexpr bool is_zero() const { return *this == Guid{}; }
};
static_assert(sizeof(Guid) == 16 && alignof(Guid) == 1);

namespace detail {
// Text position of each stored byte's first digit.
constexpr std::array<std::uint8_t, 16> guid_digit = {6,  4,  2,  0,  11, 9,  16, 14,
                                                     19, 21, 24, 26, 28, 30, 32, 34};
}  // namespace detail

// Parses 36 characters, either case. Error: malformed.
constexpr Result<Guid> parse_guid(std::string_view text) {
  if (text.size() != 36) return fail(Errc::malformed, "GUID is not 36 characters", text.size());
  for (const std::size_t dash : {8u, 13u, 18u, 23u})
    if (text[dash] != '-') return fail(Errc::malformed, "GUID without dash", dash);
  Guid guid;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t at = detail::guid_digit[i];
    const auto byte = byte_from_hex(text[at], text[at + 1]);
    if (!byte) return fail(Errc::malformed, "GUID with a bad digit", at);
    guid.bytes[i] = std::to_integer<std::uint8_t>(*byte);
  }
  return guid;
}

// 36 characters, no terminator.
constexpr std::array<char, 36> to_text(const Guid& guid, LetterCase letters = LetterCase::lower) {
  std::array<char, 36> text{};
  for (const std::size_t dash : {8u, 13u, 18u, 23u}) text[dash] = '-';
  for (std::size_t i = 0; i < 16; ++i) {
    text[detail::guid_digit[i]] = hex_digit(guid.bytes[i] >> 4u, letters);
    text[detail::guid_digit[i] + 1u] = hex_digit(guid.bytes[i], letters);
  }
  return text;
}

consteval Guid operator""_guid(const char* text, std::size_t size) {
  const auto parsed = parse_guid(std::string_view(text, size));
  if (!parsed.has_value())
    __builtin_abort();  // not a constant expression: a bad digit does not compile
  return *parsed;
}

}  // namespace keelson
