// SPDX-License-Identifier: MIT
//
// Pictures of the menu as text. Cells painted as chosen stand in [ ], dim texts in ( ), the accent in
// { }; blank ends of rows are cut.
#include "loader/menu_rows.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "efi/format/identity.h"

namespace keelson::loader {
namespace {

std::string picture_of_row(const Row& row) {
  std::string line;
  const auto bracket = [](Paint paint, bool open) -> const char* {
    switch (paint) {
      case Paint::chosen:
      case Paint::chosen_note: return open ? "[" : "]";
      case Paint::rule:
      case Paint::dim: return open ? "(" : ")";
      case Paint::accent: return open ? "{" : "}";
      case Paint::plain:
      case Paint::bright: return "";
    }
    return "";
  };
  std::size_t end = row.columns;
  while (end > 0 && row.text[end - 1] == u' ' && row.paints[end - 1] == Paint::plain) --end;
  for (std::size_t i = 0; i < end; ++i) {
    const bool first = i == 0 || row.paints[i - 1] != row.paints[i];
    const bool last = i + 1 == end || row.paints[i + 1] != row.paints[i];
    if (first) line += bracket(row.paints[i], true);
    char buffer[4];
    if (row.text[i] != 0) {
      const auto utf8 = to_utf8(std::u16string_view(&row.text[i], 1), buffer);
      line += utf8.has_value() ? *utf8 : "?";
    }
    if (last) line += bracket(row.paints[i], false);
  }
  return line;
}

std::string picture_of(const Menu& menu, efi::Cells screen, const Glyphs& glyphs = {}) {
  const MenuLayout layout = lay_out(menu, screen);
  std::string picture;
  for (std::size_t number = 0; number < screen.rows; ++number)
    picture += picture_of_row(compose_row(menu, layout, glyphs, number)) + "\n";
  return picture;
}

Entry entry(EntryKind kind, std::u16string_view title, std::u16string_view options = {},
            std::optional<BootCount> count = std::nullopt) {
  Entry entry;
  entry.kind = kind;
  entry.shown_title = title;
  entry.options = options;
  entry.count = count;
  return entry;
}

const std::vector<Entry> entries = {
    entry(EntryKind::type2, u"Debian GNU/Linux 13 (trixie)", u"root=/dev/sda2 quiet",
          BootCount{.tries_left = 3}),
    entry(EntryKind::linux, u"Debian GNU/Linux 12 (bookworm)"),
    entry(EntryKind::linux, u"Rescue", {}, BootCount{.tries_left = 0}),
};

TEST(MenuRows, ListWithCountdown) {
  const Menu menu({.entries = entries,
                   .countdown_s = 5,
                   .settings = {.mark = Mark::preferred, .marked = 1}});
  EXPECT_EQ(picture_of(menu, {64, 16}), R"(


                       {keelson-boot 0.1.0}

     [     Debian GNU/Linux 13 (trixie)      ][3 tries left][  ]
       {=>} Debian GNU/Linux 12 (bookworm)
     (     Rescue                                     bad  )






(----------------------------------------------------------------)
                          Boot in 5s.
)");
}

TEST(MenuRows, ListWithHintsAndUnicode) {
  const Menu menu({.entries = entries, .highlighted = 2});
  EXPECT_EQ(picture_of(menu, {64, 9}, unicode_glyphs), R"(

          Debian GNU/Linux 13 (trixie)      (3 tries left)
          Debian GNU/Linux 12 (bookworm)
     [     Rescue                                     ][bad][  ]


(────────────────────────────────────────────────────────────────)
      ↑↓ (choose)   Enter (start)   e (edit)   p (status)   h (help)
)");
}

TEST(MenuRows, NoticeStandsAboveTheRule) {
  const std::vector<Candidate> states = {{.failed = true}, {}, {}};
  const Menu menu({.entries = entries,
                   .states = states,
                   .highlighted = 1,
                   .countdown_s = 30,
                   .notice = "\\EFI\\Linux\\trixie.efi was refused: Secure Boot does not trust "
                             "whoever signed it."});
  EXPECT_EQ(picture_of(menu, {64, 14}), R"(
                       {keelson-boot 0.1.0}

        (     Debian GNU/Linux 13 (trixie)      failed  )
        [     Debian GNU/Linux 12 (bookworm)            ]
        (     Rescue                               bad  )



    \EFI\Linux\trixie.efi was refused: Secure Boot does not
                    trust whoever signed it.

(----------------------------------------------------------------)
                          Boot in 30s.
)");
}

TEST(MenuRows, LongListScrollsWithTheHighlightedLineInTheMiddle) {
  const std::vector<Entry> many(100, entry(EntryKind::linux, u"Entry"));
  const Menu menu({.entries = many, .highlighted = 50});
  EXPECT_EQ(picture_of(menu, {60, 7}), R"(               Entry
               Entry
          [     Entry                              ]
               Entry
               Entry
(------------------------------------------------------------)
 Up/Down (choose)   Enter (start)   e (edit)   p (status)   (51/100)
)");
}

TEST(MenuRows, EditorBreaksTheLineAndShowsTheCursor) {
  Menu menu({.entries = entries});
  std::vector<char16_t> room(2048);
  menu.press({.character = u'e'}, 2);
  menu.begin_editing(room);
  menu.press({.scan = efi::scan::home}, 2);
  EXPECT_EQ(picture_of(menu, {20, 8}), R"(
   (Options of )Debia

   [r]oot=/dev/sda2
    quiet

(--------------------)
(Enter starts with th)
)");
}

// The narrowest screen of all has 80 columns, of which the last one of the last row stays empty.
TEST(MenuRows, HelpFitsIntoOneRow) {
  Menu menu({.entries = entries});
  menu.press({.character = u'h'}, 2);
  EXPECT_LT(menu.message().size(), 80u);
  EXPECT_TRUE(menu.message().ends_with("Q leave"));
}

TEST(MenuRows, NoScreenIsTooSmall) {
  Menu menu({.entries = entries, .countdown_s = 5, .notice = "what went wrong"});
  std::vector<char16_t> room(2048);
  const std::vector<std::u16string_view> lines(3, u"line");
  for (int page = 0; page < 3; ++page) {
    if (page == 1) {
      menu.press({.character = u'e'}, 2);
      menu.begin_editing(room);
    }
    if (page == 2) menu.show_status(lines);
    for (std::size_t columns = 0; columns < 90; ++columns)
      for (std::size_t rows = 0; rows < 30; ++rows) {
        const MenuLayout layout = lay_out(menu, {columns, rows});
        for (std::size_t number = 0; number < rows; ++number)
          EXPECT_EQ(compose_row(menu, layout, {}, number).columns, columns);
      }
  }
}

TEST(MenuRows, WideCharactersTakeTwoCells) {
  Row row(10);
  EXPECT_EQ(row.put(0, 10, std::u16string_view(u"\u65e5\u672c!"), Paint::plain), 5u);
  EXPECT_EQ(row.text[0], u'\u65e5');
  EXPECT_EQ(row.text[1], 0);
  EXPECT_EQ(row.put(9, 10, std::u16string_view(u"\u65e5"), Paint::plain), 9u) << "never half";
}

TEST(MenuRows, ControlCharactersNeverReachTheScreen) {
  Row row(10);
  row.put(0, 10, std::string_view("a\x1b[2Jb"), Paint::plain);
  for (std::size_t i = 0; i < row.columns; ++i) EXPECT_GE(row.text[i], u' ');

  const std::vector<Entry> hostile = {
      entry(EntryKind::linux, u"Title", u"a\x1b[2J\b\t\x7f\x9b\x202e z")};
  Menu menu({.entries = hostile});
  std::vector<char16_t> room(2048);
  menu.press({.character = u'e'}, 2);
  menu.begin_editing(room);
  const std::string picture = picture_of(menu, {40, 8});
  EXPECT_NE(picture.find("   a\ufffd[2J\ufffd\ufffd\ufffd\ufffd\ufffd z"), std::string::npos)
      << picture;
}

}  // namespace
}  // namespace keelson::loader
