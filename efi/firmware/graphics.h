// SPDX-License-Identifier: MIT
//
// Owns the graphical screen: the frame buffer behind the console (Graphics Output Protocol, UEFI
// 2.10, 12.9), reached only through Blt, and the switch between text and graphics of firmware that
// has one (Console Control, an old Intel and Apple protocol). Modes are never changed. What is
// drawn is the programs'.
#pragma once

#include <optional>
#include <span>

#include "efi/firmware/handle.h"
#include "efi/format/bitmap.h"

struct _EFI_GRAPHICS_OUTPUT_PROTOCOL;

namespace keelson::efi {

// A rectangle of the screen, in pixels from its upper left corner.
struct Area {
  std::uint32_t x = 0, y = 0;
  std::uint32_t width = 0, height = 0;
  friend constexpr bool operator==(const Area&, const Area&) = default;
};

class Graphics {
 public:
  // The screen of the console, else the first one; nullopt if there is none. Needs no closing.
  static std::optional<Graphics> find();

  std::uint32_t width() const { return width_; }
  std::uint32_t height() const { return height_; }

  // Error of all three: firmware, also for what does not lie on the screen.
  Result<> fill(Pixel color);
  // Rows from top to bottom, without padding: width x height pixels. Error: truncated.
  Result<> read(const Area& area, std::span<Pixel> pixels);
  Result<> draw(const Area& area, std::span<const Pixel> pixels);

 private:
  Graphics() = default;
  Result<> transfer(const Area& area, std::span<Pixel> pixels, bool to_screen);
  _EFI_GRAPHICS_OUTPUT_PROTOCOL* output_ = nullptr;
  std::uint32_t width_ = 0, height_ = 0;
};

// Where the firmware knows the difference, the screen shows graphics from here on; without it
// nothing happens. Undone by show_text or when the program ends. Errors: out_of_memory (undo list),
// firmware.
Result<> show_graphics();
// Back to text if show_graphics has switched it.
void show_text();

}  // namespace keelson::efi
