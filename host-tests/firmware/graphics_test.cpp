// SPDX-License-Identifier: MIT
//
// The graphical screen and the switch between text and graphics (efi/firmware/graphics.h).
#include "efi/firmware/graphics.h"

#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

constexpr Pixel red = {.red = 255};
constexpr Pixel blue = {.blue = 255};

TEST(Graphics, ThereMayBeNone) {
  sim::Firmware firmware;
  run_in(firmware, [](Image&) {
    EXPECT_FALSE(Graphics::find().has_value());
    EXPECT_TRUE(show_graphics().has_value()) << "nothing to switch";
    show_text();
  });
}

TEST(Graphics, FillsReadsAndDraws) {
  sim::Firmware firmware({.graphics = true});
  firmware.graphics().set_size(10, 6);
  run_in(firmware, [&](Image&) {
    auto screen = Graphics::find();
    ASSERT_TRUE(screen.has_value());
    EXPECT_EQ(screen->width(), 10u);
    EXPECT_EQ(screen->height(), 6u);
    ASSERT_TRUE(screen->fill(red).has_value());
    const std::vector<Pixel> drawn(6, blue);
    const Area area{.x = 7, .y = 4, .width = 3, .height = 2};
    ASSERT_TRUE(screen->draw(area, drawn).has_value());
    std::vector<Pixel> seen(4);
    ASSERT_TRUE(screen->read({.x = 6, .y = 3, .width = 2, .height = 2}, seen).has_value());
    EXPECT_EQ(seen, (std::vector<Pixel>{red, red, red, blue}));
    EXPECT_EQ(code_of(screen->draw(area, std::span(drawn).first(5))), "truncated");
    EXPECT_EQ(code_of(screen->read({.x = 9, .y = 0, .width = 2, .height = 1}, seen)),
              "firmware error");
  });
  for (std::uint32_t y = 0; y < 6; ++y)
    for (std::uint32_t x = 0; x < 10; ++x)
      EXPECT_EQ(firmware.graphics().at(x, y), x >= 7 && y >= 4 ? blue : red) << x << "," << y;
}

TEST(Graphics, IsUndoneWhenTheProgramEnds) {
  sim::Firmware firmware({.graphics = true, .console_control = true});
  run_in(firmware, [&](Image&) {
    EXPECT_TRUE(show_graphics().has_value());
    EXPECT_TRUE(firmware.graphics().shows_graphics());
    EXPECT_TRUE(show_graphics().has_value());
    EXPECT_EQ(firmware.graphics().switches(), 1u) << "it shows graphics already";
  });
  EXPECT_FALSE(firmware.graphics().shows_graphics());
}

TEST(Graphics, ShowTextSwitchesBackOnce) {
  sim::Firmware firmware({.graphics = true, .console_control = true});
  run_in(firmware, [&](Image&) {
    show_text();
    EXPECT_EQ(firmware.graphics().switches(), 0u);
    EXPECT_TRUE(show_graphics().has_value());
    show_text();
    EXPECT_FALSE(firmware.graphics().shows_graphics());
    show_text();
  });
  EXPECT_EQ(firmware.graphics().switches(), 2u);
}

TEST(Graphics, WhoFoundGraphicsLeavesGraphics) {
  sim::Firmware firmware({.graphics = true, .console_control = true});
  firmware.run([&](Image&) -> Result<> {
    firmware.graphics().set_mode(console_control_graphics);
    EXPECT_TRUE(show_graphics().has_value());
    show_text();
    return {};
  });
  EXPECT_TRUE(firmware.graphics().shows_graphics());
  EXPECT_EQ(firmware.graphics().switches(), 0u);
}

TEST(Graphics, ASwitchThatFailsLeavesNothingToUndo) {
  sim::Firmware firmware({.graphics = true, .console_control = true});
  firmware.calls().fail_every("ConsoleControl.SetMode", status::device_error);
  run_in(firmware, [](Image&) { EXPECT_EQ(code_of(show_graphics()), "firmware error"); });
  EXPECT_EQ(calls_of(firmware, "ConsoleControl.SetMode"), 1u);
}

}  // namespace
}  // namespace keelson::efi
