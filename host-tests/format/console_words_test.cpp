// SPDX-License-Identifier: MIT
//
// Which consoles a kernel is told of (efi/format/console_words.h), row by row.
#include "efi/format/console_words.h"

#include <gtest/gtest.h>

#include "host-tests/utf16.h"

namespace keelson {
namespace {

TEST(ConsoleWords, ByWhatIsThere) {
  struct Row {
    ConsoleFacts facts;
    std::u16string_view words;
    std::string_view reason;
  };
  constexpr auto none = std::nullopt;
  const Row rows[] = {
      {{none, 0, false}, u"", "nothing was found: Linux chooses"},
      {{none, 0, true}, u"", "only a screen: what Linux chooses by itself"},
      {{0, 0, false}, u"console=uart,io,0x3f8", "only a serial port"},
      {{1, 0, false}, u"console=uart,io,0x2f8", "COM2"},
      {{2, 0, false}, u"console=uart,io,0x3e8", "COM3"},
      {{3, 0, false}, u"console=uart,io,0x2e8", "COM4"},
      {{4, 0, false}, u"", "no PC has a fifth"},
      {{0xffff'ffff, 0, true}, u"", "an unknown port counts as none"},
      {{none, 1, false}, u"console=hvc0", "only a virtio console"},
      {{none, 2, false}, u"", "two: nobody knows which is hvc0"},
      {{none, 1, true}, u"console=hvc0 console=tty0", "the screen is surer, so it is last"},
      {{none, 2, true}, u"", "no virtio console counts: only a screen"},
      {{0, 0, true}, u"console=uart,io,0x3f8 console=tty0", "text on both, login on the screen"},
      {{0, 1, false}, u"console=uart,io,0x3f8 console=hvc0", "the host made hvc0 on purpose"},
      {{0, 1, true}, u"console=uart,io,0x3f8 console=hvc0 console=tty0", "all of them"},
      {{1, 2, true}, u"console=uart,io,0x2f8 console=tty0", "two virtio consoles count as none"},
      {{7, 1, true}, u"console=hvc0 console=tty0", "an unknown port counts as none"},
  };
  for (const Row& row : rows) {
    TextArena arena;
    const auto words = console_words(row.facts, arena);
    ASSERT_TRUE(words.has_value()) << row.reason;
    EXPECT_EQ(*words, row.words) << row.reason;
  }
}

TEST(ConsoleWords, NotIfTheLineNamesOne) {
  struct Row {
    std::u16string_view line;
    bool has_one;
    std::string_view reason;
  };
  constexpr Row rows[] = {
      {u"", false, "an empty line"},
      {u"quiet root=/dev/sda2", false, "other words"},
      {u"console=ttyS0", true, "the first word"},
      {u"quiet console=tty0", true, "a later word"},
      {u"quiet console=", true, "also without a value: somebody wants none"},
      {u"netconsole=@/eth0", false, "the end of another word"},
      {u"systemd.console=x", false, "the end of another word"},
      {u"console", false, "no value"},
  };
  for (const Row& row : rows) EXPECT_EQ(has_console_word(row.line), row.has_one) << row.reason;
}

}  // namespace
}  // namespace keelson
