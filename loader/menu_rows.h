// SPDX-License-Identifier: MIT
//
// Owns how the menu looks: every row of the screen as cells with a paint, computed from the menu's
// state and the screen's size alone. Pure, so that pictures of it are text files. Which colours the
// paints are, and what reaches the screen, is menu_view's business.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "loader/menu.h"

namespace keelson::loader {

enum class Paint : std::uint8_t {
  plain,
  dim,          // hints, counters, entries that are not to be trusted
  rule,         // the line above the status
  bright,       // names
  accent,       // the one colour: our name, the mark of the default
  chosen,       // the highlighted line, the cursor
  chosen_note,  // what stands behind the title there
};

// One row. A wide character fills its cell and leaves the next one as 0.
struct Row {
  static constexpr std::size_t max_columns = 512;
  std::array<char16_t, max_columns> text{};
  std::array<Paint, max_columns> paints{};
  std::size_t columns = 0;

  // All blank.
  explicit Row(std::size_t width);
  // Puts as much of `piece` as fits before `end`; returns the column behind it.
  std::size_t put(std::size_t column, std::size_t end, std::u16string_view piece, Paint paint);
  std::size_t put(std::size_t column, std::size_t end, std::string_view utf8, Paint paint);
  void fill(std::size_t first, std::size_t end, Paint paint);
};

// Cells that a character takes: 2 for East Asian wide ones, as the firmware's fonts have them.
std::size_t cells_of(char16_t character);
std::size_t cells_of(std::u16string_view text);

// What the console can show.
struct Glyphs {
  char16_t rule = u'-';
  std::u16string_view mark = u"=>";
  std::u16string_view up_and_down = u"Up/Down";
};
inline constexpr Glyphs unicode_glyphs = {
    .rule = u'\u2500', .mark = u"\u25ba", .up_and_down = u"\u2191\u2193"};

// Where things stand on a screen; computed once per picture.
struct MenuLayout {
  efi::Cells screen;
  std::size_t left = 0, right = 0;       // columns of the list
  std::size_t top = 0, shown = 0;        // rows of the list
  std::size_t first = 0;                 // entry in the first of them
  std::size_t notice_rows = 0;           // above the rule
  std::size_t header_row = 0;            // 0: no room
  std::size_t page_rows() const { return shown; }
};
MenuLayout lay_out(const Menu& menu, efi::Cells screen);

Row compose_row(const Menu& menu, const MenuLayout& layout, const Glyphs& glyphs, std::size_t row);

}  // namespace keelson::loader
