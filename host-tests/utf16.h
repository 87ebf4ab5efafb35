// SPDX-License-Identifier: MIT
//
// UTF-16 texts as std::string types, for tests.
#pragma once

#include <string>
#include <vector>

#include "efi/base/text.h"

namespace keelson {

inline std::u16string utf16(std::string_view utf8) {
  std::vector<char16_t> room(utf8.size());
  const auto text = to_utf16(utf8, BadText::replace, room);
  return text.has_value() ? std::u16string(*text) : std::u16string();
}

inline std::string utf8(std::u16string_view utf16) {
  std::vector<char> room(utf16.size() * 3);
  const auto text = to_utf8(utf16, room);
  return text.has_value() ? std::string(*text) : std::string();
}

// The code units of a value as they lie in a variable.
inline std::u16string units_of(Bytes bytes) {
  std::u16string units(bytes.size() / 2, u'\0');
  if (!units.empty()) __builtin_memcpy(units.data(), bytes.data(), units.size() * 2);
  return units;
}

}  // namespace keelson
