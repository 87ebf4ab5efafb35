// SPDX-License-Identifier: MIT
//
// The splash picture on the simulated screen (stub/splash.h; stub.md 6): where it is, what lies
// around it, and that whatever is wrong leaves the screen alone.
#include "stub/splash.h"

#include "efi/format/bitmap.h"
#include "host-tests/firmware/in_firmware.h"
#include "host-tests/recorded_diagnostics.h"

namespace keelson {
namespace {

using Buffer = std::vector<std::byte>;

// 32 bits with alpha, all pixels alike: half-transparent red, unless it is opaque.
Buffer picture(std::uint32_t width, std::uint32_t height, bool opaque = true) {
  Buffer bytes;
  const auto put = [&](std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
  };
  const std::uint32_t size = 14 + 56 + width * height * 4;
  put('B', 1), put('M', 1), put(size, 4), put(0, 4), put(70, 4);
  put(56, 4), put(width, 4), put(height, 4), put(1, 2), put(32, 2), put(3, 4);
  put(0, 4), put(0, 8), put(0, 4), put(0, 4);
  put(0xff0000, 4), put(0xff00, 4), put(0xff, 4), put(opaque ? 0 : 0xff000000, 4);
  for (std::uint32_t i = 0; i < width * height; ++i) put(0x80ff0000, 4);
  return bytes;
}

struct Shown {
  sim::Run run;
  RecordedDiagnostics messages;
};
Shown show(sim::Firmware& firmware, Bytes section, const std::function<void()>& then = {}) {
  Shown shown;
  shown.run = efi::run_in(firmware, [&](efi::Image&) {
    stub::show_splash(section, shown.messages);
    if (then) then();
  });
  return shown;
}

void expect_picture(const sim::Graphics& screen, efi::Area area, Pixel inside, Pixel outside) {
  for (std::uint32_t y = 0; y < screen.height(); ++y)
    for (std::uint32_t x = 0; x < screen.width(); ++x) {
      const bool in =
          x >= area.x && x < area.x + area.width && y >= area.y && y < area.y + area.height;
      ASSERT_EQ(screen.at(x, y), in ? inside : outside) << x << "," << y;
    }
}

TEST(Splash, IsCentredOnBlack) {
  for (const auto [width, height] : {std::pair{1u, 1u}, {13u, 7u}, {64u, 48u}, {63u, 48u}}) {
    sim::Firmware firmware({.graphics = true});
    const Shown shown = show(firmware, picture(width, height));
    EXPECT_TRUE(shown.messages.messages.empty());
    expect_picture(firmware.graphics(), {(64 - width) / 2, (48 - height) / 2, width, height},
                   {.red = 255}, {});
    EXPECT_EQ(std::ranges::count_if(firmware.calls().list(),
                                    [](const sim::Call& call) { return call.detail == "read"; }),
              0)
        << "an opaque picture needs nothing of what was there";
  }
}

TEST(Splash, IsBlendedWithTheBackground) {
  sim::Firmware firmware({.graphics = true});
  show(firmware, picture(10, 10, false));
  expect_picture(firmware.graphics(), {27, 19, 10, 10}, {.red = 128}, {});
}

TEST(Splash, LiesOnGrayOnAppleMachines) {
  sim::Firmware firmware({.graphics = true});
  char16_t apple[] = u"Apple";
  firmware.table().FirmwareVendor = apple;
  show(firmware, picture(10, 10));
  expect_picture(firmware.graphics(), {27, 19, 10, 10}, {.red = 255},
                 {.blue = 0xc0, .green = 0xc0, .red = 0xc0});
}

TEST(Splash, SwitchesToGraphicsUntilItIsLeft) {
  sim::Firmware firmware({.graphics = true, .console_control = true});
  show(firmware, picture(10, 10), [&] {
    EXPECT_TRUE(firmware.graphics().shows_graphics());
    stub::leave_splash();
    EXPECT_FALSE(firmware.graphics().shows_graphics());
  });
  sim::Firmware never_left({.graphics = true, .console_control = true});
  show(never_left, picture(10, 10));  // run_in complains if the screen is still switched
}

TEST(Splash, NothingIsDoneWithoutScreenOrPicture) {
  sim::Firmware no_screen;
  EXPECT_TRUE(show(no_screen, picture(10, 10)).messages.messages.empty());
  sim::Firmware no_picture({.graphics = true});
  const Shown shown = show(no_picture, {});
  EXPECT_TRUE(shown.messages.messages.empty());
  EXPECT_TRUE(no_picture.graphics().is_untouched());
  EXPECT_EQ(efi::calls_of(no_picture, "LocateProtocol"), 0u) << "no screen is looked for";
}

struct BadRow {
  const char* name;
  Buffer section;
};

TEST(Splash, ABadPictureLeavesTheScreenAlone) {
  const BadRow rows[] = {
      {"wider than the screen (I-BMP 12)", picture(65, 48)},
      {"higher than the screen (I-BMP 12)", picture(64, 49)},
      {"damaged", Buffer(100)},
      {"one byte", Buffer(1)},
  };
  for (const BadRow& row : rows) {
    sim::Firmware firmware({.graphics = true, .console_control = true});
    const Shown shown = show(firmware, row.section);
    EXPECT_EQ(shown.messages.count(Severity::warning), 1u) << row.name;
    EXPECT_EQ(shown.messages.messages.size(), 1u);
    EXPECT_TRUE(firmware.graphics().is_untouched()) << row.name;
    EXPECT_EQ(firmware.graphics().switches(), 0u) << row.name;
    EXPECT_EQ(efi::calls_of(firmware, "AllocatePages"), 0u) << row.name;
  }
}

TEST(Splash, EveryFailingCallIsALineInTheLogAtMost) {
  sim::Firmware counted({.graphics = true, .console_control = true});
  const std::uint64_t calls = show(counted, picture(10, 10, false)).run.calls;
  ASSERT_GT(calls, 6u);
  for (std::uint64_t n = 1; n <= calls; ++n) {
    sim::Firmware firmware({.graphics = true, .console_control = true});
    firmware.calls().fail_call(n);
    EXPECT_LE(show(firmware, picture(10, 10, false)).messages.messages.size(), 1u) << n;
  }
}

TEST(Splash, TakesNoMoreMemoryThanItsPixels) {
  sim::Firmware firmware({.graphics = true});
  firmware.graphics().set_size(128, 128);
  show(firmware, picture(64, 32));
  std::vector<std::string> sizes;
  for (const sim::Call& call : firmware.calls().list())
    if (call.name == "AllocatePages") sizes.push_back(call.detail);
  EXPECT_EQ(sizes, std::vector<std::string>{"2"}) << "64 x 32 pixels are two pages";
}

}  // namespace
}  // namespace keelson
