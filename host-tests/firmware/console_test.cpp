// SPDX-License-Identifier: MIT
//
// Screen and keyboard as the programs use them (efi/firmware/console.h), also where they are broken
// or missing.
#include "efi/firmware/console.h"

#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

constexpr std::uint64_t ns_per_ms = 1'000'000;

class ConsoleTest : public testing::Test {
 protected:
  template <class Body>
  sim::Run with_console(Body body) {
    return run_in(firmware, [&](Image& self) {
      Console console = self.console();
      body(console);
    });
  }
  sim::Firmware firmware;
  sim::Screen& screen = firmware.screen();
};

// ---- Screen ----

TEST_F(ConsoleTest, WritesTextOfAnyLength) {
  const std::u16string long_text(1000, u'x');
  with_console([&](Console& console) {
    console.write(long_text);
    console.write_line(u"|");
    console.write_line(std::string_view("second \xc3\xa4 line"));
  });
  EXPECT_EQ(screen.printed(), std::string(1000, 'x') + "|\nsecond \xc3\xa4 line\n");
}

TEST_F(ConsoleTest, CutsUtf8OnlyBetweenCharacters) {
  // Characters of one to four bytes across the places where texts are cut.
  for (std::size_t before = 240; before < 260; ++before) {
    SCOPED_TRACE(before);
    std::string text(before, 'a');
    for (int i = 0; i < 40; ++i) text += "\xc3\xa4\xe2\x94\x80";
    screen.forget_printed();
    with_console([&](Console& console) { console.write_line(text); });
    EXPECT_EQ(screen.printed(), text + "\n");
  }
}

TEST_F(ConsoleTest, PrintsNoControlCharactersFromTexts) {
  with_console(
      [&](Console& console) { console.write_line(std::string_view("a\x1b[2J\r\nb\x7f\xff")); });
  const std::string& printed = screen.printed();
  for (const char c : {'\x1b', '\x7f', '\r'}) EXPECT_EQ(printed.find(c), std::string::npos);
  EXPECT_EQ(std::ranges::count(printed, '\n'), 1) << "its own line end only";
}

TEST_F(ConsoleTest, DrawsCells) {
  with_console([&](Console& console) {
    console.clear({.foreground = Color::white, .background = Color::blue});
    console.write_at(3, 2, u"here", {.foreground = Color::black, .background = Color::light_gray});
    EXPECT_EQ(screen.row(2), "   here");
    EXPECT_EQ(screen.attribute_at(3, 2), 0x70);
    EXPECT_EQ(screen.attribute_at(0, 0), 0x1f);
    console.show_cursor(false);
    EXPECT_FALSE(screen.cursor_visible());
    EXPECT_TRUE(console.can_show(u"abc\u2500"));
    EXPECT_FALSE(console.can_show(u"\u4e2d"));
    EXPECT_FALSE(console.can_show(std::u16string(256, u'a'))) << "not asked in one call";
  });
}

TEST_F(ConsoleTest, KnowsModes) {
  with_console([&](Console& console) {
    EXPECT_EQ(console.size(), (Cells{80, 25}));
    EXPECT_EQ(console.mode_count(), 3u);
    EXPECT_EQ(console.mode(), 0u);
    EXPECT_EQ(console.mode_size(2), (Cells{100, 31}));
    EXPECT_EQ(console.mode_size(3), std::nullopt);
    EXPECT_TRUE(console.set_mode(2).has_value());
    EXPECT_EQ(console.size(), (Cells{100, 31}));
    EXPECT_EQ(code_of(console.set_mode(9)), "unsupported");
    screen.break_mode(-1);
    EXPECT_EQ(console.mode(), std::nullopt);
    EXPECT_EQ(console.size(), Cells()) << "what every screen has";
    screen.break_mode(17);
    EXPECT_EQ(console.mode(), std::nullopt);
    console.reset_screen();
    EXPECT_EQ(console.size(), (Cells{80, 25}));
    EXPECT_EQ(console.frame_buffer(), std::nullopt);
  });
}

TEST_F(ConsoleTest, DoesWithoutAScreen) {
  firmware.table().ConOut = nullptr;
  with_console([&](Console& console) {
    EXPECT_FALSE(console.has_screen());
    console.write(u"text");
    console.write_line("text");
    console.write_at(0, 0, u"text", {});
    console.clear();
    console.show_cursor(true);
    console.reset_screen();
    EXPECT_EQ(console.size(), Cells());
    EXPECT_EQ(console.mode_count(), 0u);
    EXPECT_EQ(code_of(console.set_mode(0)), "not found");
    EXPECT_FALSE(console.can_show(u"a"));
  });
}

// ---- Keys ----

struct KeyRow {
  KeyPress sent, expected;
  const char* reason;
};
const KeyRow key_rows[] = {
    {{.character = u'a'}, {.character = u'a'}, "a letter"},
    {{.character = u'A', .shift = true}, {.character = u'A'}, "Shift says nothing of letters"},
    {{.scan = scan::up, .shift = true}, {.scan = scan::up, .shift = true}, "but of arrows"},
    {{.character = 11}, {.character = u'k', .control = true}, "a control code is Ctrl"},
    {{.character = u'k', .control = true}, {.character = u'k', .control = true}, "a letter, Ctrl"},
    {{.character = u'K', .control = true}, {.character = u'k', .control = true}, "in capitals"},
    {{.character = 13}, {.character = 13}, "Enter is no Ctrl-M"},
    {{.character = 13, .control = true}, {.character = u'm', .control = true}, "Ctrl-M is"},
    {{.character = 8}, {.character = 8}, "nor is backspace Ctrl-H"},
    {{.character = 9}, {.character = 9}, "nor tab Ctrl-I"},
    {{.character = 27}, {.character = 27}, "codes above Ctrl-Z are themselves"},
    {{.character = u'f', .alt = true}, {.character = u'f', .alt = true}, "Alt"},
    {{.scan = scan::f12}, {.scan = scan::f12}, "a function key"},
};

TEST_F(ConsoleTest, ReadsKeys) {
  for (const KeyRow& row : key_rows) {
    SCOPED_TRACE(row.reason);
    with_console([&](Console& console) {
      EXPECT_EQ(*console.poll_key(), std::nullopt);
      firmware.keys().press(row.sent, 10);
      const auto key = console.wait_key(1000);
      ASSERT_TRUE(key.has_value() && key->has_value());
      EXPECT_EQ(**key, row.expected);
    });
  }
}

TEST_F(ConsoleTest, WaitsExactlyAsLongAsItWasTold) {
  for (const std::uint64_t timeout_ms : {0u, 1u, 1000u, 149'999u, 150'000u, 450'001u}) {
    SCOPED_TRACE(timeout_ms);
    const sim::Run run = with_console([&](Console& console) {
      const std::uint64_t start = firmware.clock().now_ns();
      const auto key = console.wait_key(timeout_ms);
      ASSERT_TRUE(key.has_value());
      EXPECT_EQ(*key, std::nullopt);
      EXPECT_EQ(firmware.clock().now_ns() - start, timeout_ms * ns_per_ms);
    });
    EXPECT_EQ(run.end, sim::End::returned) << "the watchdog was re-armed";
  }
}

TEST_F(ConsoleTest, WaitsForAKeyAsLongAsItTakes) {
  firmware.keys().press(u'x', 3'600'000);
  with_console([&](Console& console) {
    const auto key = console.wait_key();
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->character, u'x');
  });
}

TEST_F(ConsoleTest, IgnoresKeysThatOnlyChangeModifiers) {
  firmware.keys().press(KeyPress{.shift = true}, 10).press(u'x', 10);
  with_console([&](Console& console) {
    const auto key = console.wait_key(1000);
    ASSERT_TRUE(key.has_value() && key->has_value());
    EXPECT_EQ((*key)->character, u'x');
  });
}

TEST_F(ConsoleTest, EndsTheWaitOnKeyboardsThatClaimToBeReady) {
  firmware.keys().set_claims_ready(true);
  with_console([&](Console& console) {
    EXPECT_EQ(*console.poll_key(), std::nullopt);
    const std::uint64_t start = firmware.clock().now_ns();
    EXPECT_EQ(*console.wait_key(1000), std::nullopt);
    EXPECT_LT(firmware.clock().now_ns() - start, 1010 * ns_per_ms) << "the timer comes first";
  });
}

TEST_F(ConsoleTest, FallsBackToThePlainKeyboard) {
  for (const bool has_handle : {true, false}) {
    sim::Firmware old;
    old.keys().break_extended_event();
    run_in(old, [&](Image& self) {
      if (!has_handle) old.table().ConsoleInHandle = nullptr;
      Console console = self.console();
      old.keys().press(u'x', 5).press_scan(scan::down, 5);
      EXPECT_EQ((*console.wait_key(100))->character, u'x');
      EXPECT_EQ((*console.wait_key(100))->scan, scan::down);
    });
  }
}

TEST_F(ConsoleTest, ReportsBrokenKeyboardsAndTimers) {
  with_console([&](Console& console) {
    firmware.keys().fail_reads(status::device_error);
    firmware.keys().press(u'x', 0);
    EXPECT_EQ(code_of(console.poll_key()), "firmware error");
    EXPECT_EQ(code_of(console.wait_key(10)), "firmware error");
    firmware.keys().press_nothing();
    firmware.calls().fail_every("SetTimer", status::device_error);
    EXPECT_EQ(code_of(console.wait_key(10)), "firmware error");
  });
}

TEST_F(ConsoleTest, SaysThatThereIsNoKeyboard) {
  with_console([&](Console& console) {
    sim::Handles& handles = firmware.handles();
    const Handle device = firmware.table().ConsoleInHandle;
    int anything = 0;
    handles.add(device, protocol_guid::rng, &anything);  // the handle stays
    handles.uninstall(device, protocol_guid::text_input_ex, firmware.keys().extended());
    firmware.table().ConIn = nullptr;
    EXPECT_EQ(code_of(console.wait_key()), "not found");
    EXPECT_EQ(*console.wait_key(20), std::nullopt) << "a countdown still ends";
    handles.add(device, protocol_guid::text_input_ex, firmware.keys().extended());
    handles.uninstall(device, protocol_guid::rng, &anything);
  });
}

TEST_F(ConsoleTest, DrainsWhatWasPressedBefore) {
  firmware.keys().press(u'a', 0).press(u'b', 0).press(u'c', 500);
  with_console([&](Console& console) {
    console.drain_keys();
    EXPECT_EQ(firmware.keys().left(), 1u);
    EXPECT_EQ((*console.wait_key(1000))->character, u'c');
  });
}

}  // namespace
}  // namespace keelson::efi
