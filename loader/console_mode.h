// SPDX-License-Identifier: MIT
//
// Owns which text mode the menu has (loader.md 9, "Console mode"): the choice is pure, carrying it
// out tries the next mode when one fails. Nothing is changed before the menu is shown.
#pragma once

#include <optional>

#include "efi/firmware/console.h"
#include "efi/format/loader_conf.h"

namespace keelson::loader {

// Whether `auto` keeps the mode it finds: up to full HD, or where characters are large enough.
bool is_readable(efi::Console::Pixels screen, efi::Cells cells);

// Applies what loader.conf or the variable say. A screen that refuses stays as it is.
void apply_console_mode(efi::Console& console, const ConsoleMode& wanted);
// The next mode that works, starting again after the last. nullopt: none did.
std::optional<std::uint32_t> switch_to_next_mode(efi::Console& console);

}  // namespace keelson::loader
