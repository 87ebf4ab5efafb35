// SPDX-License-Identifier: MIT
//
// The pages of the menu, row by row. The list is centred both ways; a rule and one line of status
// close every page; what went wrong stands above the rule.
#include "loader/menu_rows.h"

#include <algorithm>

#include "efi/format/identity.h"

namespace keelson::loader {
namespace {

constexpr std::size_t margin = 2;          // beside the text of a list line
constexpr std::size_t mark_columns = 3;    // for the mark and the blank behind it
constexpr std::size_t note_gap = 4;        // between title and note
constexpr std::size_t narrowest_list = 40;
constexpr std::size_t footer_rows = 2;     // rule and status
constexpr std::size_t most_notice_rows = 3;
constexpr std::size_t page_margin = 3;     // of editor and status page
constexpr std::size_t page_top = 3;        // first row of their text

// UTF-8 as it may be shown (R9 of the rules); cut at the buffer's size.
std::u16string_view printable(std::string_view utf8, std::span<char16_t, 512> buffer) {
  const auto text = to_utf16(utf8.substr(0, buffer.size()), BadText::replace, buffer);
  if (!text.has_value()) return {};
  make_printable(buffer.first(text->size()));
  return *text;
}

// What stands at the end of a list line.
void print_note(Line& line, const Menu& menu, std::size_t index) {
  const Entry& entry = menu.setup().entries[index];
  const auto& states = menu.setup().states;
  if (index < states.size() && states[index].failed) {
    line.add("failed");
  } else if (entry.bad()) {
    line.add("bad");
  } else if (entry.count) {
    print(line, entry.count->tries_left);
    line.add(entry.count->tries_left == 1 ? " try left" : " tries left");
  }
}

std::size_t widest_line(const Menu& menu) {
  std::size_t title = 0;
  std::size_t note = 0;
  for (std::size_t i = 0; i < menu.setup().entries.size(); ++i) {
    title = std::max(title, cells_of(menu.setup().entries[i].shown_title));
    Line line;
    print_note(line, menu, i);
    note = std::max(note, line.text().size());
  }
  return 2 * margin + mark_columns + title + (note == 0 ? 0 : note_gap + note);
}

// Takes the next line of at most `width` bytes off `text`, broken at a blank if it has one.
std::string_view take_line(std::string_view& text, std::size_t width) {
  std::size_t size = std::min(text.size(), std::max<std::size_t>(width, 1));
  if (size < text.size()) {
    const std::size_t blank = text.rfind(' ', size);
    if (blank != std::string_view::npos && blank != 0) size = blank;
  }
  const std::string_view line = text.substr(0, size);
  text.remove_prefix(size);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return line;
}

std::size_t lines_of(std::string_view text, std::size_t width) {
  std::size_t lines = 0;
  for (; !text.empty(); ++lines) take_line(text, width);
  return lines;
}

std::string_view line_at(std::string_view text, std::size_t width, std::size_t index) {
  std::string_view line;
  for (std::size_t i = 0; i <= index; ++i) line = take_line(text, width);
  return line;
}

std::size_t notice_width(efi::Cells screen) {
  return screen.columns > 2 * margin ? screen.columns - 2 * margin : 1;
}

struct Centred {
  std::size_t first = 0;
  std::size_t end = 0;
};
Centred centre(std::size_t size, std::size_t within) {
  const std::size_t shown = std::min(size, within);
  const std::size_t first = (within - shown) / 2;
  return {first, first + shown};
}

void put_centred(Row& row, std::string_view utf8, Paint paint) {
  std::array<char16_t, 512> buffer;
  const auto text = printable(utf8, buffer);
  const auto [first, end] = centre(cells_of(text), row.columns);
  row.put(first, end, text, paint);
}

void compose_rule(Row& row, const Glyphs& glyphs) {
  for (std::size_t i = 0; i < row.columns; ++i) row.text[i] = glyphs.rule;
  row.fill(0, row.columns, Paint::rule);
}

void put_hints(Row& row, const Menu& menu, const Glyphs& glyphs) {
  struct Hint {
    std::u16string_view key, text;
  };
  const bool edits = may_edit(menu.entry(), menu.setup().editor, menu.setup().secure_boot);
  const Hint hints[] = {{glyphs.up_and_down, u"choose"},
                        {u"Enter", u"start"},
                        {edits ? u"e" : u"", u"edit"},
                        {u"p", u"status"},
                        {u"h", u"help"}};
  std::size_t size = 0;
  for (const Hint& hint : hints)
    if (!hint.key.empty()) size += hint.key.size() + 1 + hint.text.size() + 3;
  auto [column, end] = centre(size - 3, row.columns);
  for (const Hint& hint : hints) {
    if (hint.key.empty()) continue;
    column = row.put(column, end, hint.key, Paint::plain);
    column = row.put(column + 1, end, hint.text, Paint::dim) + 3;
  }
}

void put_position(Row& row, std::size_t at, std::size_t of) {
  Line line;
  print(line, at);
  line.add("/");
  print(line, of);
  const std::size_t size = line.text().size();
  if (size + 2 < row.columns) row.put(row.columns - size - 2, row.columns, line.text(), Paint::dim);
}

void compose_list_status(Row& row, const Menu& menu, const MenuLayout& layout,
                         const Glyphs& glyphs) {
  if (menu.page() == Menu::Page::confirm_setup) {
    put_centred(row, "Press Enter to reboot into firmware interface.", Paint::bright);
    return;
  }
  if (menu.countdown_s()) {
    Line line;
    line.add(menu.setup().at_zero == AtZero::leave ? "Back to the firmware in " : "Boot in ");
    print(line, *menu.countdown_s());
    line.add("s.");
    put_centred(row, line.text(), Paint::bright);
  } else if (!menu.message().empty()) {
    put_centred(row, menu.message(), Paint::bright);
  } else if (menu.setup().keys) {
    put_hints(row, menu, glyphs);
  }
  if (layout.shown < menu.setup().entries.size())
    put_position(row, menu.highlighted() + 1, menu.setup().entries.size());
}

void compose_entry(Row& row, const Menu& menu, const MenuLayout& layout, const Glyphs& glyphs,
                   std::size_t index) {
  const Entry& entry = menu.setup().entries[index];
  const bool chosen = index == menu.highlighted();
  const bool tired = entry.bad() || (index < menu.setup().states.size() &&
                                     menu.setup().states[index].failed);
  const bool marked = menu.settings().mark != Mark::none && menu.settings().marked == index;
  const Paint title = chosen ? Paint::chosen : tired ? Paint::dim : Paint::plain;
  const Paint note = chosen ? Paint::chosen_note : Paint::dim;
  row.fill(layout.left, layout.right, title);

  const std::size_t text_end = layout.right > margin ? layout.right - margin : layout.right;
  Line line;
  print_note(line, menu, index);
  const std::size_t note_size = line.text().size();
  const std::size_t title_end =
      note_size != 0 && text_end > note_size + note_gap ? text_end - note_size - note_gap : text_end;

  const std::size_t begin = layout.left + margin;
  if (marked) row.put(begin, title_end, glyphs.mark, chosen ? Paint::chosen : Paint::accent);
  row.put(begin + mark_columns, title_end, entry.shown_title, title);
  if (note_size != 0 && text_end > note_size)
    row.put(text_end - note_size, text_end, line.text(), note);
}

void compose_list(Row& row, const Menu& menu, const MenuLayout& layout, const Glyphs& glyphs,
                  std::size_t number) {
  const std::size_t notice_first = layout.screen.rows - footer_rows - layout.notice_rows;
  if (layout.header_row != 0 && number == layout.header_row) {
    const auto [first, end] = centre(identity::boot_product.size(), row.columns);
    row.put(first, end, identity::boot_product, Paint::accent);
  } else if (number >= layout.top && number < layout.top + layout.shown) {
    compose_entry(row, menu, layout, glyphs, layout.first + number - layout.top);
  } else if (layout.notice_rows > 0 && number >= notice_first) {
    // The last of the rows stays empty, before the rule.
    const std::string_view notice = menu.setup().notice;
    if (number + 1 < notice_first + layout.notice_rows)
      put_centred(row, line_at(notice, notice_width(layout.screen), number - notice_first),
                  Paint::bright);
  }
}

// One cell per character, whatever the text holds (R9): the cursor must not depend on fonts.
char16_t in_one_cell(char16_t character) {
  make_printable({&character, 1});
  return cells_of(character) == 1 ? character : u'\ufffd';
}

void compose_editor(Row& row, const Menu& menu, std::size_t number) {
  const std::size_t width = row.columns > 2 * page_margin ? row.columns - 2 * page_margin : 1;
  if (number == 1) {
    const std::size_t column = row.put(page_margin, row.columns, u"Options of ", Paint::dim);
    row.put(column, row.columns - 1, menu.entry().shown_title, Paint::bright);
    return;
  }
  if (number < page_top) return;
  const LineEditor& editor = menu.editor();
  const std::size_t from = (number - page_top) * width;
  if (from > editor.text().size()) return;
  const std::u16string_view part = editor.text().substr(from, width);
  for (std::size_t i = 0; i < part.size(); ++i) {
    row.text[page_margin + i] = in_one_cell(part[i]);
    row.paints[page_margin + i] = Paint::plain;
  }
  if (editor.cursor() >= from && editor.cursor() < from + width)
    row.paints[page_margin + editor.cursor() - from] = Paint::chosen;
}

void compose_status_page(Row& row, const Menu& menu, const MenuLayout& layout, std::size_t number) {
  if (number < 1 || number + footer_rows >= layout.screen.rows) return;
  const std::size_t line = menu.first_status_line() + number - 1;
  if (line < menu.status_lines().size())
    row.put(margin, row.columns, menu.status_lines()[line], Paint::plain);
}

}  // namespace

std::size_t cells_of(char16_t c) {
  const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0xffe0 && c <= 0xffe6);
  return wide ? 2 : 1;
}

std::size_t cells_of(std::u16string_view text) {
  std::size_t cells = 0;
  for (const char16_t character : text) cells += cells_of(character);
  return cells;
}

Row::Row(std::size_t width) : columns(std::min(width, max_columns)) {
  std::fill_n(text.begin(), columns, u' ');
}

std::size_t Row::put(std::size_t column, std::size_t end, std::u16string_view piece, Paint paint) {
  const std::size_t limit = std::min(end, columns);
  for (const char16_t character : piece) {
    const std::size_t cells = cells_of(character);
    if (column + cells > limit) break;
    text[column] = character;
    if (cells == 2) text[column + 1] = 0;
    fill(column, column + cells, paint);
    column += cells;
  }
  return column;
}

std::size_t Row::put(std::size_t column, std::size_t end, std::string_view utf8, Paint paint) {
  std::array<char16_t, 512> buffer;
  return put(column, end, printable(utf8, buffer), paint);
}

void Row::fill(std::size_t first, std::size_t end, Paint paint) {
  for (std::size_t i = first; i < std::min(end, columns); ++i) paints[i] = paint;
}

MenuLayout lay_out(const Menu& menu, efi::Cells screen) {
  MenuLayout layout{.screen = {std::min(screen.columns, Row::max_columns), screen.rows}};
  if (!menu.setup().notice.empty() && screen.rows > footer_rows + most_notice_rows + 2)
    layout.notice_rows =
        1 + std::min(most_notice_rows, lines_of(menu.setup().notice, notice_width(screen)));
  const std::size_t room =
      screen.rows > footer_rows + layout.notice_rows
          ? screen.rows - footer_rows - layout.notice_rows
          : 1;
  if (menu.page() == Menu::Page::status || menu.page() == Menu::Page::editor) {
    layout.shown = room > 1 ? room - 1 : 1;
    return layout;
  }

  const std::size_t entries = menu.setup().entries.size();
  const std::size_t width = std::min(std::max(widest_line(menu), narrowest_list), screen.columns);
  layout.left = (screen.columns - width) / 2;
  layout.right = layout.left + width;
  layout.shown = std::min(entries, room);
  // A list that is longer than the screen scrolls with the highlighted line in its middle.
  const std::size_t half = layout.shown / 2;
  const std::size_t wanted = menu.highlighted() > half ? menu.highlighted() - half : 0;
  layout.first = std::min(wanted, entries - layout.shown);
  layout.top = (room - layout.shown) / 2;
  if (layout.top >= 3) layout.header_row = layout.top - 2;
  return layout;
}

Row compose_row(const Menu& menu, const MenuLayout& layout, const Glyphs& glyphs,
                std::size_t number) {
  Row row(layout.screen.columns);
  const std::size_t rows = layout.screen.rows;
  const bool is_status = number + 1 == rows;
  if (number + footer_rows == rows) {
    compose_rule(row, glyphs);
    return row;
  }
  switch (menu.page()) {
    case Menu::Page::list:
    case Menu::Page::confirm_setup:
      if (is_status)
        compose_list_status(row, menu, layout, glyphs);
      else
        compose_list(row, menu, layout, glyphs, number);
      break;
    case Menu::Page::editor:
      if (is_status)
        put_centred(row, "Enter starts with these options, Esc leaves them as they were.",
                    Paint::dim);
      else
        compose_editor(row, menu, number);
      break;
    case Menu::Page::status:
      if (is_status)
        put_centred(row, "Arrow keys scroll, any other key goes back.", Paint::dim);
      else
        compose_status_page(row, menu, layout, number);
      break;
  }
  return row;
}

}  // namespace keelson::loader
