// SPDX-License-Identifier: MIT
//
// Shows a picture; see splash.h.
#include "stub/splash.h"

#include "efi/base/pages.h"
#include "efi/firmware/graphics.h"
#include "efi/firmware/system.h"
#include "efi/format/bitmap.h"

namespace keelson::stub {
namespace {

// What lies around the picture: as the machine shows its own logo.
Pixel background() {
  constexpr Pixel apple_gray = {.blue = 0xc0, .green = 0xc0, .red = 0xc0};
  return efi::firmware_info().vendor == u"Apple" ? apple_gray : Pixel{};
}

// In the middle. Error: unsupported, for a picture that is larger than the screen. What would be
// cut off is nobody's guess, and the memory that a picture takes is so bounded by the screen.
Result<efi::Area> place(const Bitmap& picture, const efi::Graphics& screen) {
  if (picture.width() > screen.width() || picture.height() > screen.height())
    return fail(Errc::unsupported, "picture larger than the screen", picture.width());
  return efi::Area{.x = (screen.width() - picture.width()) / 2,
                   .y = (screen.height() - picture.height()) / 2,
                   .width = picture.width(),
                   .height = picture.height()};
}

// Nothing is drawn before everything that can be wrong with the picture has been found.
Result<> show(Bytes section, efi::Graphics& screen) {
  const Bitmap picture = TRY(Bitmap::parse(section));
  const efi::Area area = TRY(place(picture, screen));
  const std::uint64_t count = std::uint64_t{area.width} * area.height;
  Pages pages = TRY(Pages::allocate({.size = count * sizeof(Pixel), .fill = Fill::tail_zero}));
  const std::span<Pixel> pixels(reinterpret_cast<Pixel*>(pages.data()),
                                static_cast<std::size_t>(count));

  TRY(screen.fill(background()));
  if (picture.has_alpha()) TRY(screen.read(area, pixels));
  for (std::uint32_t y = 0; y < area.height; ++y)
    picture.draw_row(y, pixels.subspan(std::size_t{y} * area.width, area.width));
  TRY(efi::show_graphics());
  return screen.draw(area, pixels);
}

}  // namespace

void show_splash(Bytes section, Diagnostics& diagnostics) {
  if (section.empty()) return;
  auto screen = efi::Graphics::find();
  if (!screen) return;
  const Result<> shown = show(section, *screen);
  if (!shown.has_value()) diagnostics.warn("the splash picture is not shown: ", shown.error());
}

void leave_splash() { efi::show_text(); }

}  // namespace keelson::stub
