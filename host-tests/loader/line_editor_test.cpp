// SPDX-License-Identifier: MIT
//
// The line editor: key sequences, and the text and cursor they leave.
#include "loader/line_editor.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keelson::loader {
namespace {

using efi::KeyPress;

KeyPress letter(char16_t character) { return {.character = character}; }
KeyPress special(std::uint16_t code) { return {.scan = code}; }
KeyPress control(char16_t character) { return {.character = character, .control = true}; }
KeyPress alt(char16_t character) { return {.character = character, .alt = true}; }
KeyPress control_scan(std::uint16_t code) { return {.scan = code, .control = true}; }

const KeyPress home = special(efi::scan::home);

struct Row {
  std::vector<KeyPress> keys;
  std::u16string_view text;  // with | at the cursor
  const char* reason;
};

// Each starts with "one two  three" and the cursor at its end.
const Row rows[] = {
    {{}, u"one two  three|", "the cursor starts at the end"},
    {{letter(u'!')}, u"one two  three!|", "insert at the end"},
    {{home, letter(u'x')}, u"x|one two  three", "insert at the front"},
    {{control(u'a')}, u"|one two  three", "Ctrl-A"},
    {{home, control(u'e')}, u"one two  three|", "Ctrl-E"},
    {{special(efi::scan::left)}, u"one two  thre|e", "left"},
    {{special(efi::scan::right)}, u"one two  three|", "right stops at the end"},
    {{home, special(efi::scan::left)}, u"|one two  three", "left stops at the front"},
    {{home, control(u'f')}, u"o|ne two  three", "Ctrl-F"},
    {{alt(u'b')}, u"one two  |three", "Alt-B"},
    {{alt(u'b'), control_scan(efi::scan::left)}, u"one |two  three", "Ctrl-left"},
    {{special(efi::scan::up)}, u"one two  |three", "up is a word back"},
    {{home, special(efi::scan::down)}, u"one| two  three", "down is a word on"},
    {{home, alt(u'f'), alt(u'f')}, u"one two|  three", "Alt-F"},
    {{home, alt(u'f'), control(u'k')}, u"one|", "Ctrl-K"},
    {{alt(u'b'), control(u'u')}, u"|three", "Ctrl-U"},
    {{control(u'w')}, u"one two  |", "Ctrl-W"},
    {{control(u'w'), control(u'w')}, u"one |", "Ctrl-W takes the blanks before"},
    {{{.character = 8, .alt = true}}, u"one two  |", "Alt-Backspace"},
    {{letter(8)}, u"one two  thre|", "Backspace"},
    {{control(u'h')}, u"one two  thre|", "Backspace as Ctrl-H"},
    {{home, letter(8)}, u"|one two  three", "nothing before the front"},
    {{home, special(efi::scan::del)}, u"|ne two  three", "Del"},
    {{home, control(u'd')}, u"|ne two  three", "Ctrl-D"},
    {{special(efi::scan::del)}, u"one two  three|", "nothing behind the end"},
    {{home, alt(u'd')}, u"| two  three", "Alt-D"},
    {{home, control_scan(efi::scan::del)}, u"| two  three", "Ctrl-Del"},
    {{letter(1), letter(9)}, u"one two  three|", "control characters are no text"},
    {{letter(0xd800)}, u"one two  three|", "half a character is no text"},
    {{control(u'x'), alt(u'x'), special(efi::scan::f1)}, u"one two  three|", "no meaning"},
};

TEST(LineEditor, Keys) {
  for (const Row& row : rows) {
    std::vector<char16_t> room(64);
    LineEditor editor(room, u"one two  three");
    for (const KeyPress& key : row.keys)
      EXPECT_EQ(editor.press(key), LineEditor::Outcome::edited) << row.reason;
    std::u16string with_cursor(editor.text());
    with_cursor.insert(editor.cursor(), 1, u'|');
    EXPECT_TRUE(with_cursor == row.text) << row.reason;
  }
}

TEST(LineEditor, Leaving) {
  std::vector<char16_t> room(64);
  for (const KeyPress& key : {letter(u'\r'), letter(u'\n'), control(u'm'), control(u'j')})
    EXPECT_EQ(LineEditor(room, u"x").press(key), LineEditor::Outcome::accepted);
  for (const KeyPress& key :
       {special(efi::scan::escape), letter(0x1b), control(u'c'), control(u'g')})
    EXPECT_EQ(LineEditor(room, u"x").press(key), LineEditor::Outcome::cancelled);
}

TEST(LineEditor, StopsWhenItsRoomIsFull) {
  std::vector<char16_t> room(3);
  LineEditor editor(room, u"ab");
  for (const char16_t c : std::u16string_view(u"cde")) editor.press(letter(c));
  EXPECT_TRUE(editor.text() == u"abc");
  EXPECT_EQ(editor.cursor(), 3u);
}

TEST(LineEditor, EveryKeyKeepsTheCursorInside) {
  std::vector<char16_t> room(16);
  LineEditor editor(room, u"a bc");
  std::uint32_t random = 1;
  for (int i = 0; i < 20000; ++i) {
    random = random * 1664525 + 1013904223;
    KeyPress key{.control = (random >> 20 & 3) == 0, .alt = (random >> 22 & 3) == 0};
    if ((random >> 24 & 1) != 0)
      key.character = static_cast<char16_t>(random >> 8 & 0x7f);
    else
      key.scan = static_cast<std::uint16_t>(random >> 8 & 0x1f);
    editor.press(key);
    ASSERT_LE(editor.cursor(), editor.text().size());
    ASSERT_LE(editor.text().size(), room.size());
  }
}

}  // namespace
}  // namespace keelson::loader
