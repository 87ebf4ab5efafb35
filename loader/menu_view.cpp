// SPDX-License-Identifier: MIT
//
// Drawing: dark, one accent, nothing that moves but the highlighted line and the seconds.
#include "loader/menu_view.h"

namespace keelson::loader {
namespace {

// Firmware's dark gray is nearly black: too dark for anything that is to be read.
constexpr efi::Attribute attribute_of(Paint paint) {
  using enum efi::Color;
  switch (paint) {
    case Paint::plain: return {white, black};
    case Paint::dim: return {light_gray, black};
    case Paint::rule: return {dark_gray, black};
    case Paint::bright: return {white, black};
    case Paint::accent: return {light_cyan, black};
    case Paint::chosen: return {white, cyan};
    case Paint::chosen_note: return {black, cyan};
  }
  return {};
}

// FNV-1a over what can be seen.
std::uint64_t number_of(const Row& row) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < row.columns; ++i) {
    const std::uint64_t cell =
        row.text[i] | static_cast<std::uint64_t>(row.paints[i]) << 16;
    hash = (hash ^ cell) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

MenuView::MenuView(efi::Console& console) : console_(console) {
  const char16_t rule[] = {unicode_glyphs.rule, 0};
  if (console.can_show(rule)) glyphs_.rule = unicode_glyphs.rule;
  if (console.can_show(unicode_glyphs.mark)) glyphs_.mark = unicode_glyphs.mark;
  if (console.can_show(unicode_glyphs.up_and_down))
    glyphs_.up_and_down = unicode_glyphs.up_and_down;
}

void MenuView::forget() {
  drawn_.clear();
  cleared_ = false;
}

void MenuView::draw(const Menu& menu) {
  if (!console_.has_screen()) return;
  const efi::Cells screen = console_.size();
  if (screen != screen_ || !cleared_) {
    screen_ = screen;
    drawn_.clear();
    console_.show_cursor(false);
    console_.clear();
    cleared_ = true;
    const std::uint64_t blank = number_of(Row(screen.columns));
    for (std::size_t number = 0; number < screen.rows; ++number)
      proceed_despite(drawn_.push(blank), "the row is drawn, blank or not");
  }
  const MenuLayout layout = lay_out(menu, screen);
  page_rows_ = layout.page_rows();
  for (std::size_t number = 0; number < screen.rows; ++number) {
    const Row row = compose_row(menu, layout, glyphs_, number);
    const std::uint64_t content = number_of(row);
    if (number < drawn_.size() && drawn_[number] == content) continue;
    draw_row(row, number, number + 1 == screen.rows);
    // Without memory for the numbers every row is drawn each time.
    if (number < drawn_.size())
      drawn_[number] = content;
    else if (number == drawn_.size())
      proceed_despite(drawn_.push(content), "the row is drawn again next time");
  }
}

void MenuView::draw_row(const Row& row, std::size_t number, bool last) {
  // Writing the last cell of the last row would scroll.
  const std::size_t end = last && row.columns > 0 ? row.columns - 1 : row.columns;
  std::array<char16_t, Row::max_columns + 1> piece;
  std::size_t column = 0;
  while (column < end) {
    const Paint paint = row.paints[column];
    const std::size_t first = column;
    std::size_t size = 0;
    for (; column < end && row.paints[column] == paint; ++column)
      if (row.text[column] != 0) piece[size++] = row.text[column];
    piece[size] = 0;
    console_.write_at(first, number, std::u16string_view(piece.data(), size), attribute_of(paint));
  }
}

}  // namespace keelson::loader
