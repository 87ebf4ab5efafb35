// SPDX-License-Identifier: MIT
//
// Owns what a keyboard layout of the firmware says of itself (UEFI 2.10, 34.8.13,
// EFI_HII_KEYBOARD_LAYOUT): bytes of some driver, read for one thing, the language tag with which
// its first description begins.
#pragma once

#include <string_view>

#include "efi/base/bytes.h"
#include "efi/base/page_list.h"

namespace keelson {

// The text before the first space, "en-US" (RFC 4646): 1 to 64 letters, digits and hyphens. It is
// copied to `texts`. Errors: truncated (a length or offset past the end), malformed (no
// description, or one that does not begin with a tag), out_of_memory.
Result<std::u16string_view> keyboard_language(Bytes layout, TextArena& texts);

}  // namespace keelson
