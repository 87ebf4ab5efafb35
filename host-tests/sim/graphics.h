// SPDX-License-Identifier: MIT
//
// Owns a graphical screen: a frame buffer that is reached through Blt (UEFI 2.10, 12.9), and the
// old switch between text and graphics. What the tests see is pixels.
#pragma once

#include <vector>

#include "efi/firmware/graphics.h"
#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

class Graphics {
 public:
  explicit Graphics(Calls& calls);
  Graphics(const Graphics&) = delete;
  Graphics& operator=(const Graphics&) = delete;

  EFI_GRAPHICS_OUTPUT_PROTOCOL* protocol() { return &output_.protocol; }
  efi::ConsoleControlProtocol* control() { return &control_.protocol; }

  // Full of `before`, which nobody draws; the mode is text.
  void power_cycle();
  void set_size(std::uint32_t width, std::uint32_t height);
  std::uint32_t width() const { return information_.HorizontalResolution; }
  std::uint32_t height() const { return information_.VerticalResolution; }

  static constexpr Pixel before = {.blue = 11, .green = 22, .red = 33};
  // Rows from top to bottom.
  const std::vector<Pixel>& pixels() const { return pixels_; }
  Pixel at(std::uint32_t x, std::uint32_t y) const { return pixels_[std::size_t{y} * width() + x]; }
  bool is_untouched() const;

  bool shows_graphics() const { return mode_ == efi::console_control_graphics; }
  void set_mode(std::uint32_t mode) { mode_ = mode; }
  // How often it was switched.
  std::uint32_t switches() const { return switches_; }

 private:
  struct Output {
    EFI_GRAPHICS_OUTPUT_PROTOCOL protocol{};
    Graphics* graphics = nullptr;
  };
  struct Control {
    efi::ConsoleControlProtocol protocol{};
    Graphics* graphics = nullptr;
  };
  struct Place {
    UINTN x = 0, y = 0;
  };
  static Graphics& of(EFI_GRAPHICS_OUTPUT_PROTOCOL* self) {
    return *reinterpret_cast<Output*>(self)->graphics;
  }
  static Graphics& of(efi::ConsoleControlProtocol* self) {
    return *reinterpret_cast<Control*>(self)->graphics;
  }
  bool is_on_screen(Place at, Place size) const;
  efi::Status transfer(Pixel* buffer, EFI_GRAPHICS_OUTPUT_BLT_OPERATION operation, Place from,
                       Place to, Place size, UINTN delta);

  Calls& calls_;
  Output output_;
  Control control_;
  EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE output_mode_{};
  EFI_GRAPHICS_OUTPUT_MODE_INFORMATION information_{};
  std::vector<Pixel> pixels_;
  std::uint32_t mode_ = efi::console_control_text;
  std::uint32_t switches_ = 0;
};

}  // namespace keelson::sim
