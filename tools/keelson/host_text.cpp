// SPDX-License-Identifier: MIT
//
// Text on the host side.
#include "tools/keelson/host_text.h"

#include <algorithm>

#include "efi/base/hex.h"
#include "efi/base/text.h"
#include "tools/keelson/failure.h"

namespace keelson::tool {

std::string utf8(std::u16string_view text) {
  std::string room(text.size() * 3, '\0');
  return std::string(or_fail(to_utf8(text, std::span(room.data(), room.size())), "text"));
}

std::u16string_view utf16(std::string_view text, TextArena& arena) {
  return or_fail(to_utf16(text, BadText::refuse, arena), printable(text));
}

std::string printable(std::string_view text) {
  std::string copy(text);
  std::ranges::replace(copy, '\0',
                       '\1');  // conversions end at a NUL, and what follows it must show
  std::u16string room(copy.size(), u'\0');
  return printable(
      or_fail(to_utf16(copy, BadText::replace, std::span(room.data(), room.size())), "text"));
}

std::string printable(std::u16string_view text) {
  std::u16string copy(text);
  const std::span<char16_t> all(copy.data(), copy.size());
  for (std::size_t start = 0; start < copy.size();) {
    const std::size_t tab = std::min(copy.find(u'\t', start), copy.size());
    make_printable(all.subspan(start, tab - start));
    start = tab + 1;
  }
  return utf8(copy);
}

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += {high_hex_digit(byte), low_hex_digit(byte)};
  return text;
}

std::string hex(const Digest& digest) { return hex(digest.bytes()); }

}  // namespace keelson::tool
