// SPDX-License-Identifier: MIT
//
// The menu: what keys do, as a table of key sequences and what they lead to.
#include "loader/menu.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keelson::loader {
namespace {

using efi::KeyPress;

Entry entry(EntryKind kind, std::u16string_view title, std::u16string_view options = {}) {
  Entry entry;
  entry.kind = kind;
  entry.shown_title = title;
  entry.options = options;
  return entry;
}

std::vector<Entry> three_entries() {
  return {entry(EntryKind::type2, u"New", u"quiet"), entry(EntryKind::efi, u"Tool"),
          entry(EntryKind::linux, u"Old", u"ro")};
}

KeyPress letter(char16_t character) { return {.character = character}; }
KeyPress special(std::uint16_t code) { return {.scan = code}; }
const KeyPress enter = letter(u'\r');
const KeyPress up = special(efi::scan::up);
const KeyPress down = special(efi::scan::down);

struct Row {
  std::vector<KeyPress> keys;
  std::size_t highlighted;
  MenuRequest last_request;
  const char* reason;
};

const Row rows[] = {
    {{down}, 1, MenuRequest::none, "down"},
    {{down, down, down, down}, 2, MenuRequest::none, "stops at the end"},
    {{down, up, up}, 0, MenuRequest::none, "stops at the top"},
    {{letter(u'j')}, 1, MenuRequest::none, "vi down"},
    {{letter(u'J'), letter(u'k')}, 0, MenuRequest::none, "vi up"},
    {{special(efi::scan::volume_down)}, 1, MenuRequest::none, "a phone"},
    {{special(efi::scan::end)}, 2, MenuRequest::none, "last"},
    {{special(efi::scan::end), special(efi::scan::home)}, 0, MenuRequest::none, "first"},
    {{{.character = u'>', .alt = true}}, 2, MenuRequest::none, "Alt->"},
    {{special(efi::scan::page_down)}, 2, MenuRequest::none, "a page of two"},
    {{special(efi::scan::end), special(efi::scan::page_up)}, 0, MenuRequest::none, "page up"},
    {{letter(u'3')}, 2, MenuRequest::none, "third"},
    {{letter(u'9')}, 2, MenuRequest::none, "beyond the end is the last"},
    {{letter(u'l')}, 2, MenuRequest::none, "next with that key"},
    {{letter(u'l'), letter(u'l')}, 0, MenuRequest::none, "and round"},
    {{letter(u'w')}, 0, MenuRequest::none, "nobody has it"},
    {{enter}, 0, MenuRequest::start, "enter"},
    {{letter(u'\n')}, 0, MenuRequest::start, "serial enter"},
    {{down, special(efi::scan::right)}, 1, MenuRequest::start, "right"},
    {{special(efi::scan::f3)}, 0, MenuRequest::start, "F3"},
    {{special(efi::scan::suspend)}, 0, MenuRequest::start, "power key"},
    {{letter(u'O')}, 0, MenuRequest::power_off, "off"},
    {{letter(u'B')}, 0, MenuRequest::reboot, "reboot"},
    {{letter(u'o')}, 0, MenuRequest::none, "not by the small letter"},
    {{letter(u'f')}, 0, MenuRequest::none, "asks first"},
    {{letter(u'f'), enter}, 0, MenuRequest::firmware_setup, "confirmed"},
    {{special(efi::scan::escape), down}, 0, MenuRequest::none, "any other key cancels"},
    {{special(efi::scan::del), enter}, 0, MenuRequest::firmware_setup, "Del"},
    {{letter(u'L')}, 0, MenuRequest::redraw, "redraw"},
    {{{.character = u'l', .control = true}}, 0, MenuRequest::redraw, "Ctrl-L"},
    {{letter(u'r')}, 0, MenuRequest::next_console_mode, "mode"},
    {{letter(u'R')}, 0, MenuRequest::reset_console_mode, "mode back"},
    {{letter(u'p')}, 0, MenuRequest::status_page, "status"},
    {{letter(u'e')}, 0, MenuRequest::edit, "edit"},
    {{letter(u'Q')}, 0, MenuRequest::leave, "leave"},
    {{letter(u'v')}, 0, MenuRequest::none, "version is shown"},
    {{{.character = u'q', .control = true}}, 0, MenuRequest::none, "nothing"},
};

TEST(Menu, Keys) {
  const auto entries = three_entries();
  for (const Row& row : rows) {
    Menu menu({.entries = entries, .firmware_setup = true});
    MenuRequest last = MenuRequest::none;
    for (const KeyPress& key : row.keys) last = menu.press(key, 2);
    EXPECT_EQ(menu.highlighted(), row.highlighted) << row.reason;
    EXPECT_EQ(last, row.last_request) << row.reason;
  }
}

TEST(Menu, CountdownEndsAtZeroAndAnyKeyStopsIt) {
  const auto entries = three_entries();
  Menu menu({.entries = entries, .countdown_s = 2});
  EXPECT_FALSE(menu.tick());
  EXPECT_EQ(menu.countdown_s(), 1u);
  EXPECT_TRUE(menu.tick());

  Menu stopped({.entries = entries, .countdown_s = 2});
  stopped.press(letter(u'x'), 2);
  EXPECT_EQ(stopped.countdown_s(), std::nullopt);
  EXPECT_FALSE(stopped.tick());
}

TEST(Menu, EditingStartsWithTheNewOptions) {
  const auto entries = three_entries();
  Menu menu({.entries = entries});
  std::vector<char16_t> room(64);
  ASSERT_EQ(menu.press(letter(u'e'), 2), MenuRequest::edit);
  menu.begin_editing(room);
  EXPECT_EQ(menu.page(), Menu::Page::editor);
  for (const char16_t c : std::u16string_view(u" debug")) menu.press(letter(c), 2);
  EXPECT_EQ(menu.press(enter, 2), MenuRequest::start);
  EXPECT_EQ(menu.edited(), u"quiet debug");
}

TEST(Menu, CancelledOrUnchangedOptionsStayImplied) {
  const auto entries = three_entries();
  for (const bool cancel : {true, false}) {
    Menu menu({.entries = entries});
    std::vector<char16_t> room(64);
    menu.press(letter(u'e'), 2);
    menu.begin_editing(room);
    if (cancel) {
      menu.press(letter(u'x'), 2);
      EXPECT_EQ(menu.press(special(efi::scan::escape), 2), MenuRequest::none);
    } else {
      EXPECT_EQ(menu.press(enter, 2), MenuRequest::start);
    }
    EXPECT_EQ(menu.edited(), std::nullopt);
    EXPECT_EQ(menu.page(), Menu::Page::list);
  }
}

TEST(Menu, WhatMayBeEdited) {
  const auto entries = three_entries();
  const Entry bare = entry(EntryKind::uki, u"Bare");
  const Entry action = entry(EntryKind::reboot, u"Reboot");
  EXPECT_TRUE(may_edit(entries[0], true, false));
  EXPECT_FALSE(may_edit(entries[0], true, true)) << "the stub would drop it";
  EXPECT_TRUE(may_edit(bare, true, true)) << "nothing signed is there to protect";
  EXPECT_TRUE(may_edit(entries[2], true, true)) << "type 1 options are not signed";
  EXPECT_FALSE(may_edit(entries[2], false, false)) << "editor no";
  EXPECT_FALSE(may_edit(action, true, false));
}

TEST(Menu, DefaultIsToggledAndTheTwoKindsReplaceEachOther) {
  const auto entries = three_entries();
  Menu menu({.entries = entries});
  menu.press(letter(u'd'), 2);
  EXPECT_EQ(menu.settings(), (MenuSettings{.mark = Mark::preferred, .marked = 0}));
  menu.press(down, 2);
  menu.press(letter(u'D'), 2);
  EXPECT_EQ(menu.settings(), (MenuSettings{.mark = Mark::fallback, .marked = 1}));
  menu.press(letter(u'D'), 2);
  EXPECT_EQ(menu.settings(), MenuSettings{});
}

TEST(Menu, ActionsAreNoDefault) {
  const std::vector<Entry> entries = {entry(EntryKind::power_off, u"Off")};
  Menu menu({.entries = entries});
  menu.press(letter(u'd'), 2);
  EXPECT_EQ(menu.settings(), MenuSettings{});
}

TEST(Menu, TimeoutsAlongTheLine) {
  using enum MenuTimeout::Mode;
  std::vector<std::optional<MenuTimeout>> line = {
      std::nullopt, MenuTimeout{.mode = forced}, MenuTimeout{.mode = hidden},
      MenuTimeout{.mode = countdown, .seconds = 1}, MenuTimeout{.mode = countdown, .seconds = 2}};
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    EXPECT_EQ(longer_timeout(line[i]), line[i + 1]) << i;
    EXPECT_EQ(shorter_timeout(line[i + 1]), line[i]) << i;
  }
  EXPECT_EQ(shorter_timeout(std::nullopt), std::nullopt);
  EXPECT_EQ(longer_timeout(MenuTimeout{.mode = disabled})->mode, forced);
}

TEST(Menu, HiddenMenuStartsTheFirstEntryOfAHotKey) {
  const auto entries = three_entries();
  EXPECT_EQ(entry_of_hot_key(entries, letter(u'l')), 0u);
  EXPECT_EQ(entry_of_hot_key(entries, letter(u'x')), std::nullopt);
  EXPECT_EQ(entry_of_hot_key(entries, down), std::nullopt);
  EXPECT_EQ(entry_of_hot_key(entries, {.character = u'l', .alt = true}), std::nullopt);
}

TEST(Menu, StatusPageScrollsAndAnyOtherKeyGoesBack) {
  const auto entries = three_entries();
  const std::vector<std::u16string_view> lines(10, u"line");
  Menu menu({.entries = entries});
  menu.show_status(lines);
  menu.press(special(efi::scan::page_down), 4);
  EXPECT_EQ(menu.first_status_line(), 4u);
  menu.press(special(efi::scan::page_down), 4);
  EXPECT_EQ(menu.first_status_line(), 6u) << "the last page is full";
  menu.press(up, 4);
  EXPECT_EQ(menu.first_status_line(), 5u);
  menu.press(enter, 4);
  EXPECT_EQ(menu.page(), Menu::Page::list);
}

}  // namespace
}  // namespace keelson::loader
