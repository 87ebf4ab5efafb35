// SPDX-License-Identifier: MIT
//
// Owns asking the firmware which keyboard layout it uses (HII database, UEFI 2.10, 34.8). What a
// layout says is efi/format/keyboard_layout.h's.
#pragma once

#include "efi/base/page_list.h"
#include "efi/firmware/handle.h"

namespace keelson::efi {

// The language tag of the current layout, in `texts`. Errors: not_found (no such database, or no
// current layout), those of keelson::keyboard_language, firmware.
Result<std::u16string_view> current_keyboard_language(TextArena& texts);

}  // namespace keelson::efi
