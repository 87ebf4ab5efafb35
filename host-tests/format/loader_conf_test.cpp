// SPDX-License-Identifier: MIT
//
// Settings of loader.conf and menu time-outs (efi/format/loader_conf.h).
#include "efi/format/loader_conf.h"

#include <gtest/gtest.h>

#include <string>

#include "host-tests/recorded_diagnostics.h"
#include "host-tests/utf16.h"

namespace keelson {
namespace {

using Mode = MenuTimeout::Mode;

struct Read {
  TextArena arena;
  RecordedDiagnostics diagnostics;
  LoaderConf conf;
  explicit Read(std::string_view text) {
    const auto parsed = parse_loader_conf(bytes_of(text), arena, diagnostics);
    EXPECT_TRUE(parsed.has_value());
    if (parsed.has_value()) conf = *parsed;
  }
};

TEST(LoaderConf, Defaults) {
  const Read read("");
  EXPECT_EQ(read.conf.timeout.mode, Mode::hidden);
  EXPECT_TRUE(read.conf.default_entry.empty());
  EXPECT_TRUE(read.conf.preferred_entry.empty());
  EXPECT_TRUE(read.conf.editor);
  EXPECT_TRUE(read.conf.auto_firmware);
  EXPECT_FALSE(read.conf.auto_poweroff);
  EXPECT_FALSE(read.conf.auto_reboot);
  EXPECT_EQ(read.conf.reboot_on_error, RebootOnError::automatic);
  EXPECT_EQ(read.conf.console_mode, ConsoleMode{});
}

TEST(LoaderConf, EverySetting) {
  const Read read(
      "timeout 5\ndefault Debian-*\npreferred @saved\neditor no\nauto-entries off\n"
      "auto-firmware 0\nauto-poweroff yes\nauto-reboot t\nreboot-on-error no\n"
      "console-mode 2\nlog-level debug\nbeep yes\nsecure-boot-enroll off\n");
  EXPECT_EQ(read.conf.timeout, (MenuTimeout{Mode::countdown, 5}));
  EXPECT_EQ(read.conf.default_entry, u"Debian-*");
  EXPECT_EQ(read.conf.preferred_entry, u"@saved");
  EXPECT_FALSE(read.conf.editor);
  EXPECT_FALSE(read.conf.auto_firmware);
  EXPECT_TRUE(read.conf.auto_poweroff);
  EXPECT_TRUE(read.conf.auto_reboot);
  EXPECT_EQ(read.conf.reboot_on_error, RebootOnError::no);
  EXPECT_EQ(read.conf.console_mode, (ConsoleMode{ConsoleMode::Choice::number, 2}));
  EXPECT_TRUE(read.diagnostics.messages.empty()) << "keys that are not used are no fault";
}

TEST(LoaderConf, BadValuesLeaveTheEarlierOne) {
  struct Row {
    std::string_view text;
    bool (*holds)(const LoaderConf&);
    std::size_t warnings;
    std::string_view reason;
  };
  const Row rows[] = {
      {"timeout 7\ntimeout -1\n", [](auto& c) { return c.timeout.seconds == 7; }, 1, "negative"},
      {"timeout 7\ntimeout 4294967296\n", [](auto& c) { return c.timeout.seconds == 7; }, 1,
       "overflow"},
      {"timeout 7\ntimeout\n", [](auto& c) { return c.timeout.seconds == 7; }, 0, "no value"},
      {"timeout 7\ntimeout 3 # s\n", [](auto& c) { return c.timeout.seconds == 7; }, 1,
       "no comments behind values"},
      {"timeout 7\ntimeout 3\n", [](auto& c) { return c.timeout.seconds == 3; }, 0, "last wins"},
      {"editor no\neditor maybe\n", [](auto& c) { return !c.editor; }, 1, "not a boolean"},
      {"editor NO\n", [](auto& c) { return c.editor; }, 1, "booleans are lower case"},
      {"default a\ndefault @foo\n", [](auto& c) { return c.default_entry == u"a"; }, 1,
       "no such word"},
      {"default @SAVED\n", [](auto& c) { return c.default_entry == u"@SAVED"; }, 0, "any case"},
      {"console-mode max\nconsole-mode 99999999999\n",
       [](auto& c) { return c.console_mode.choice == ConsoleMode::Choice::highest; }, 1,
       "out of range"},
      {"console-mode auto\nconsole-mode max\nconsole-mode keep\n",
       [](auto& c) { return c.console_mode == ConsoleMode{}; }, 0, "words"},
      {"reboot-on-error yes\nreboot-on-error sometimes\n",
       [](auto& c) { return c.reboot_on_error == RebootOnError::yes; }, 1, "neither"},
      {"reboot-on-error yes\nreboot-on-error auto\n",
       [](auto& c) { return c.reboot_on_error == RebootOnError::automatic; }, 0, "auto"},
      {"timeout\t3\n\feditor no\n", [](auto& c) { return c.timeout.seconds == 3 && c.editor; }, 0,
       "form feed is no blank"},
      {"default a\xFF"
       "b\n",
       [](auto& c) { return c.default_entry == u"ab"; }, 0, "bad UTF-8 is dropped"},
      {"default \"[\"\n", [](auto& c) { return c.default_entry == u"["; }, 0, "quotes"},
      {std::string_view("\xFF\xFEt\0i\0m\0e\0", 10),
       [](auto& c) { return c.timeout == MenuTimeout{}; }, 0, "UTF-16"},
      {"Timeout 3\n", [](auto& c) { return c.timeout == MenuTimeout{}; }, 0, "keys have a case"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    const Read read(row.text);
    EXPECT_TRUE(row.holds(read.conf));
    EXPECT_EQ(read.diagnostics.count(Severity::warning), row.warnings);
    EXPECT_EQ(read.diagnostics.messages.size(), row.warnings);
  }
}

TEST(LoaderConf, WarningsNameTheLine) {
  const Read read("timeout 3\r\n\r\neditor maybe\r\n");
  ASSERT_EQ(read.diagnostics.messages.size(), 1u);
  EXPECT_EQ(read.diagnostics.messages[0].text,
            "loader.conf line 3: bad value for editor, the earlier one stays");
}

TEST(LoaderConf, LongPattern) {
  const Read read("default " + std::string(4000, '*'));
  EXPECT_EQ(read.conf.default_entry.size(), 4000u);
}

TEST(MenuTimeout, FileAndVariable) {
  struct Row {
    std::string_view text;
    std::optional<MenuTimeout> file, variable;
    std::string_view reason;
  };
  constexpr auto none = std::nullopt;
  constexpr MenuTimeout hidden{Mode::hidden}, forced{Mode::forced}, disabled{Mode::disabled};
  const Row rows[] = {
      {"0", hidden, hidden, "zero"},
      {"1", MenuTimeout{Mode::countdown, 1}, MenuTimeout{Mode::countdown, 1}, "seconds"},
      {"4294967294", MenuTimeout{Mode::countdown, 4294967294u},
       MenuTimeout{Mode::countdown, 4294967294u}, "largest"},
      {"4294967295", forced, forced, "means force"},
      {"4294967296", none, forced, "variables are clamped"},
      {"99999999999999999999999", none, forced, "however long"},
      {"menu-force", forced, forced, "word"},
      {"menu-hidden", hidden, hidden, "word"},
      {"menu-disabled", disabled, disabled, "word"},
      {"Menu-force", none, none, "words are lower case"},
      {"menu-forced", none, none, "whole words"},
      {"", none, none, "empty"},
      {"-1", none, none, "sign"},
      {"0x10", none, none, "hexadecimal"},
      {" 5", none, none, "blank"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    EXPECT_EQ(parse_menu_timeout(row.text), row.file);
    EXPECT_EQ(parse_menu_timeout(utf16(row.text)), row.variable);
  }
}

TEST(MenuTimeout, Precedence) {
  constexpr MenuTimeout file{Mode::countdown, 9}, variable{Mode::disabled};
  constexpr MenuTimeout forced{Mode::forced};
  constexpr auto none = std::nullopt;
  EXPECT_EQ(effective_timeout(none, none, file), file);
  EXPECT_EQ(effective_timeout(none, variable, file), variable);
  EXPECT_EQ(effective_timeout(MenuTimeout{Mode::countdown, 2}, variable, file),
            (MenuTimeout{Mode::countdown, 2}));
  EXPECT_EQ(effective_timeout(MenuTimeout{Mode::hidden}, variable, file), forced)
      << "a one-shot time-out shows the menu";
  EXPECT_EQ(effective_timeout(MenuTimeout{Mode::disabled}, none, file), forced);
}

TEST(ConsoleMode, Variable) {
  EXPECT_EQ(parse_console_mode(std::u16string_view(u"3")),
            (ConsoleMode{ConsoleMode::Choice::number, 3}));
  EXPECT_EQ(parse_console_mode(std::u16string_view(u"max")), std::nullopt);
  EXPECT_EQ(parse_console_mode(std::u16string_view(u"-1")), std::nullopt);
}

}  // namespace
}  // namespace keelson
