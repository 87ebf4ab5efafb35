// SPDX-License-Identifier: MIT
//
// The print overloads of diagnostics.h.
#include "efi/base/diagnostics.h"

#include "efi/base/hex.h"

namespace keelson {

Line& Line::add(std::string_view text) {
  const std::size_t room = buffer_.size() - size_;
  const std::size_t count = text.size() < room ? text.size() : room;
  for (std::size_t i = 0; i < count; ++i) buffer_[size_ + i] = text[i];
  size_ += count;
  if (count < text.size()) cut_ = true;
  return *this;
}

void print(Line& line, std::string_view text) { line.add(text); }

void print(Line& line, std::u16string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    // In pieces, so that the conversion buffer stays small; a surrogate pair is not split.
    std::size_t count = text.size() - at < 32 ? text.size() - at : 32;
    if (count == 32 && text[at + 31] >= 0xD800 && text[at + 31] < 0xDC00) --count;
    std::array<char, 96> utf8{};
    const auto part = to_utf8(text.substr(at, count), utf8);
    if (part.has_value()) line.add(*part);
    at += count;
  }
}

void print(Line& line, Hex number) {
  std::array<char, 16> digits{};
  std::size_t start = digits.size();
  do {
    digits[--start] = hex_digit(number.value);
    number.value >>= 4;
  } while (number.value != 0);
  line.add("0x").add({digits.data() + start, digits.size() - start});
}

void print(Line& line, const Error& error) {
  line.add(error.what).add(" (").add(name(error.code));
  if (error.where != 0) {
    line.add(error.has_status() ? ", status " : ", at ");
    print(line, Hex{error.where});
  }
  line.add(")");
}

}  // namespace keelson
