// SPDX-License-Identifier: MIT
//
// Owns hexadecimal digits in ASCII: the digit of a value and the value of a digit. How many digits
// a text has, and what stands between them, is its format's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace keelson {

enum class LetterCase : std::uint8_t { lower, upper };

// Of the lowest four bits.
constexpr char hex_digit(std::uint64_t value, LetterCase letters = LetterCase::lower) {
  const auto* const digits = letters == LetterCase::lower ? "0123456789abcdef" : "0123456789ABCDEF";
  return digits[value & 15];
}
constexpr char high_hex_digit(std::byte byte) {
  return hex_digit(std::to_integer<unsigned>(byte) >> 4);
}
constexpr char low_hex_digit(std::byte byte) { return hex_digit(std::to_integer<unsigned>(byte)); }

// Letters of either case; nullopt for anything but two digits.
constexpr std::optional<std::byte> byte_from_hex(char high, char low) {
  constexpr auto value = [](char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
  };
  if (value(high) < 0 || value(low) < 0) return std::nullopt;
  return static_cast<std::byte>(value(high) * 16 + value(low));
}

}  // namespace keelson
