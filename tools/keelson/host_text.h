// SPDX-License-Identifier: MIT
//
// Owns text on the host side: UTF-16 of the formats as std::string and back, and foreign text made
// fit for a terminal.
#pragma once

#include <string>
#include <string_view>

#include "efi/base/digest.h"
#include "efi/base/page_list.h"

namespace keelson::tool {

// UTF-16 text of an entry as UTF-8.
std::string utf8(std::u16string_view text);
// UTF-8 as UTF-16, kept in `arena`. Failure: not UTF-8.
std::u16string_view utf16(std::string_view text, TextArena& arena);

// One line for a terminal: control characters, what reorders text, and what is not UTF-8 become
// U+FFFD; tabs stay.
std::string printable(std::string_view text);
std::string printable(std::u16string_view text);

// In lower-case hexadecimal.
std::string hex(Bytes bytes);
std::string hex(const Digest& digest);

}  // namespace keelson::tool
