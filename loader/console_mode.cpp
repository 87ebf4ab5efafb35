// SPDX-License-Identifier: MIT
//
// Chooses and sets text modes.
#include "loader/console_mode.h"

namespace keelson::loader {
namespace {

// Sets `mode` if the screen has it; after a failure the old one is back.
bool try_mode(efi::Console& console, std::size_t mode) {
  if (!console.mode_size(mode)) return false;
  const auto before = console.mode();
  if (before == mode) return true;
  if (console.set_mode(mode).has_value()) return true;
  if (!before || !console.set_mode(*before).has_value()) console.reset_screen();
  return false;
}

void use_best_standard_mode(efi::Console& console) {
  for (const std::size_t mode : {2u, 1u, 0u})
    if (try_mode(console, mode)) return;
}

void use_highest_mode(efi::Console& console) {
  for (std::size_t mode = console.mode_count(); mode > 0; --mode)
    if (try_mode(console, mode - 1)) return;
}

}  // namespace

bool is_readable(efi::Console::Pixels screen, efi::Cells cells) {
  constexpr std::uint64_t glyph_width = 8;
  constexpr std::uint64_t glyph_height = 19;
  constexpr std::uint64_t too_small = 10;  // text area in this fraction of the screen
  if (screen.width <= 1920 && screen.height <= 1080) return true;
  const std::uint64_t text = cells.columns * cells.rows * glyph_width * glyph_height;
  return text != 0 && std::uint64_t{screen.width} * screen.height / text < too_small;
}

void apply_console_mode(efi::Console& console, const ConsoleMode& wanted) {
  switch (wanted.choice) {
    case ConsoleMode::Choice::keep:
      if (!console.mode()) use_best_standard_mode(console);
      return;
    case ConsoleMode::Choice::automatic: {
      const auto screen = console.frame_buffer();
      if (console.mode() && (!screen || is_readable(*screen, console.size()))) return;
      return use_best_standard_mode(console);
    }
    case ConsoleMode::Choice::highest: return use_highest_mode(console);
    case ConsoleMode::Choice::number:
      if (!try_mode(console, wanted.number) && !console.mode()) use_best_standard_mode(console);
      return;
  }
}

std::optional<std::uint32_t> switch_to_next_mode(efi::Console& console) {
  const std::size_t count = console.mode_count();
  const std::size_t current = console.mode().value_or(0);
  for (std::size_t step = 1; step <= count; ++step) {
    const std::size_t mode = (current + step) % count;
    if (try_mode(console, mode)) return static_cast<std::uint32_t>(mode);
  }
  return std::nullopt;
}

}  // namespace keelson::loader
