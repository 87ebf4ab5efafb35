// SPDX-License-Identifier: MIT
//
// The simulated screen and keyboard keep to UEFI 2.10, 12.2 to 12.4 (console.h).
#include "host-tests/sim/console.h"

#include <gtest/gtest.h>

namespace keelson::sim {
namespace {

namespace status = efi::status;
using efi::Status;

class ScreenTest : public testing::Test {
 protected:
  Status print(const char16_t* text) { return out->OutputString(out, efi::as_efi(text)); }
  Calls calls;
  Screen screen{calls, {{10, 3}, {0, 0}, {20, 5}}};
  SIMPLE_TEXT_OUTPUT_INTERFACE* const out = screen.protocol();
};

TEST_F(ScreenTest, PutsTextIntoCells) {
  EXPECT_EQ(print(u"one\r\ntwo\rT\b"), status::success);
  EXPECT_EQ(screen.text(), "one\nTwo\n");
  EXPECT_EQ(out->Mode->CursorRow, 1);
  EXPECT_EQ(out->Mode->CursorColumn, 0);
  EXPECT_EQ(screen.printed(), "one\ntwoT\b");
}

TEST_F(ScreenTest, WrapsAndScrolls) {
  print(u"0123456789ab\r\nthird");
  EXPECT_EQ(screen.text(), "0123456789\nab\nthird\n");
  out->SetCursorPosition(out, 9, 2);
  print(u"X");
  EXPECT_EQ(screen.text(), "ab\nthird    X\n") << "the last cell scrolls";
}

TEST_F(ScreenTest, KnowsItsModes) {
  UINTN columns = 0;
  UINTN rows = 0;
  EXPECT_EQ(out->Mode->MaxMode, 3);
  EXPECT_EQ(out->QueryMode(out, 1, &columns, &rows), status::unsupported);
  EXPECT_EQ(out->QueryMode(out, 3, &columns, &rows), status::unsupported);
  EXPECT_EQ(out->QueryMode(out, 2, &columns, &rows), status::success);
  EXPECT_EQ(columns, 20u);
  print(u"gone");
  EXPECT_EQ(out->SetMode(out, 1), status::unsupported);
  EXPECT_EQ(out->SetMode(out, 2), status::success);
  EXPECT_EQ(screen.text(), "");
  EXPECT_EQ(out->SetCursorPosition(out, 19, 4), status::success);
  EXPECT_EQ(out->SetCursorPosition(out, 20, 4), status::unsupported);
}

TEST_F(ScreenTest, KeepsAttributes) {
  EXPECT_EQ(screen.highlighted_row(), std::nullopt);
  print(u"plain\r\n");
  EXPECT_EQ(out->SetAttribute(out, EFI_TEXT_ATTR(EFI_BLACK, EFI_LIGHTGRAY)), status::success);
  print(u"chosen");
  EXPECT_EQ(screen.highlighted_row(), 1u);
  EXPECT_EQ(screen.attribute_at(5, 1), 0x70);
  EXPECT_EQ(screen.attribute_at(0, 0), EFI_LIGHTGRAY);
  EXPECT_EQ(out->SetAttribute(out, 0x80), status::unsupported);
  out->SetAttribute(out, EFI_LIGHTGRAY);
  out->ClearScreen(out);
  EXPECT_EQ(screen.highlighted_row(), std::nullopt);
}

TEST_F(ScreenTest, SaysWhatItCannotShow) {
  EXPECT_EQ(print(u"\u4e2d"), EFI_STATUS{EFI_WARN_UNKNOWN_GLYPH});
  EXPECT_EQ(screen.text(), "?\n");
  EXPECT_EQ(out->TestString(out, efi::as_efi(u"\u4e2d")), status::unsupported);
  EXPECT_EQ(out->TestString(out, efi::as_efi(u"\u2500 a")), status::success);
}

class KeyboardTest : public testing::Test {
 protected:
  Calls calls;
  Clock clock;
  Events events{clock};
  Keyboard keyboard{calls, events, clock};
  EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL* const extended = keyboard.extended();
  SIMPLE_INPUT_INTERFACE* const plain = keyboard.plain();
};

TEST_F(KeyboardTest, DeliversKeysAtTheirTime) {
  keyboard.press(u'a', 100).press_scan(efi::scan::up, 50);
  EFI_KEY_DATA data{};
  EXPECT_EQ(events.check(extended->WaitForKeyEx), status::not_ready);
  EXPECT_EQ(extended->ReadKeyStrokeEx(extended, &data), status::not_ready);
  const std::uint64_t start = clock.now_ns();
  const Event event = extended->WaitForKeyEx;
  EXPECT_EQ(events.wait({&event, 1}), 0u);
  EXPECT_EQ(clock.now_ns() - start, 100'000'000u);
  EXPECT_EQ(extended->ReadKeyStrokeEx(extended, &data), status::success);
  EXPECT_EQ(data.Key.UnicodeChar, u'a');
  EXPECT_EQ(extended->ReadKeyStrokeEx(extended, &data), status::not_ready);
  EXPECT_EQ(events.wait({&event, 1}), 0u);
  EXPECT_EQ(clock.now_ns() - start, 150'000'000u);
  EFI_INPUT_KEY key{};
  EXPECT_EQ(plain->ReadKeyStroke(plain, &key), status::success) << "both see the same queue";
  EXPECT_EQ(key.ScanCode, efi::scan::up);
  EXPECT_EQ(events.wait({&event, 1}), std::nullopt) << "nothing will come any more";
}

TEST_F(KeyboardTest, TellsModifiers) {
  keyboard.press(efi::KeyPress{.character = u'k', .control = true}, 0);
  EFI_KEY_DATA data{};
  EXPECT_EQ(extended->ReadKeyStrokeEx(extended, &data), status::success);
  EXPECT_EQ(data.KeyState.KeyShiftState,
            EFI_SHIFT_STATE_VALID | std::uint32_t{EFI_RIGHT_CONTROL_PRESSED});
}

TEST_F(KeyboardTest, CanBeBroken) {
  keyboard.set_claims_ready(true);
  EFI_KEY_DATA data{};
  EXPECT_EQ(events.check(extended->WaitForKeyEx), status::success);
  EXPECT_EQ(extended->ReadKeyStrokeEx(extended, &data), status::not_ready);
  keyboard.fail_reads(status::device_error);
  EXPECT_EQ(extended->ReadKeyStrokeEx(extended, &data), status::device_error);
  keyboard.break_extended_event();
  EXPECT_EQ(events.check(extended->WaitForKeyEx), status::invalid_parameter);
}

}  // namespace
}  // namespace keelson::sim
