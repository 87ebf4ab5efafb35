// SPDX-License-Identifier: MIT
//
// Blt over a vector of pixels, and console control (graphics.h).
#include "host-tests/sim/graphics.h"

#include <algorithm>

namespace keelson::sim {

namespace status = efi::status;

Graphics::Graphics(Calls& calls) : calls_(calls) {
  output_.graphics = this;
  output_.protocol.Mode = &output_mode_;
  output_mode_.MaxMode = 1;
  output_mode_.Info = &information_;
  output_mode_.SizeOfInfo = sizeof(information_);
  information_.PixelFormat = PixelBltOnly;
  output_.protocol.Blt =
      [](EFI_GRAPHICS_OUTPUT_PROTOCOL* self, EFI_GRAPHICS_OUTPUT_BLT_PIXEL* buffer,
         EFI_GRAPHICS_OUTPUT_BLT_OPERATION operation, UINTN from_x, UINTN from_y, UINTN to_x,
         UINTN to_y, UINTN width, UINTN height, UINTN delta) EFIAPI -> EFI_STATUS {
    static constexpr const char* names[] = {"fill", "read", "draw", "move"};
    if (operation < 0 || operation > EfiBltVideoToVideo) return status::invalid_parameter;
    Graphics& graphics = of(self);
    if (const auto failure = graphics.calls_.enter("Graphics.Blt", names[operation]))
      return *failure;
    return graphics.transfer(reinterpret_cast<Pixel*>(buffer), operation, {from_x, from_y},
                             {to_x, to_y}, {width, height}, delta);
  };
  control_.graphics = this;
  control_.protocol.get_mode = [](efi::ConsoleControlProtocol* self, UINT32* mode,
                                  BOOLEAN* has_graphics, BOOLEAN* input_locked)
                                   EFIAPI -> EFI_STATUS {
    if (const auto failure = of(self).calls_.enter("ConsoleControl.GetMode")) return *failure;
    *mode = of(self).mode_;
    *has_graphics = TRUE;
    *input_locked = FALSE;
    return status::success;
  };
  control_.protocol.set_mode = [](efi::ConsoleControlProtocol* self, UINT32 mode)
                                   EFIAPI -> EFI_STATUS {
    Graphics& graphics = of(self);
    // Back to text is a way out, where nothing can be done about a failure.
    if (mode == efi::console_control_text)
      graphics.calls_.note("ConsoleControl.SetMode");
    else if (const auto failure = graphics.calls_.enter("ConsoleControl.SetMode"))
      return *failure;
    graphics.mode_ = mode;
    ++graphics.switches_;
    return status::success;
  };
  set_size(64, 48);
}

void Graphics::power_cycle() {
  std::ranges::fill(pixels_, before);
  mode_ = efi::console_control_text;
  switches_ = 0;
}

void Graphics::set_size(std::uint32_t width, std::uint32_t height) {
  information_.HorizontalResolution = width;
  information_.VerticalResolution = height;
  information_.PixelsPerScanLine = width;
  pixels_.assign(std::size_t{width} * height, before);
}

bool Graphics::is_untouched() const {
  return std::ranges::all_of(pixels_, [](Pixel pixel) { return pixel == before; });
}

bool Graphics::is_on_screen(Place at, Place size) const {
  return size.x != 0 && size.y != 0 && at.x < width() && at.y < height() &&
         size.x <= width() - at.x && size.y <= height() - at.y;
}

efi::Status Graphics::transfer(Pixel* buffer, EFI_GRAPHICS_OUTPUT_BLT_OPERATION operation,
                               Place from, Place to, Place size, UINTN delta) {
  const bool reads = operation == EfiBltVideoToBltBuffer;
  const bool fills = operation == EfiBltVideoFill;
  if (operation == EfiBltVideoToVideo || buffer == nullptr ||
      !is_on_screen(reads ? from : to, size))
    return status::invalid_parameter;
  const std::size_t pitch = delta == 0 ? size.x : delta / sizeof(Pixel);
  const Place in_buffer = reads ? to : from;
  const Place on_screen = reads ? from : to;
  for (std::size_t y = 0; y < size.y; ++y)
    for (std::size_t x = 0; x < size.x; ++x) {
      Pixel& shown = pixels_[(on_screen.y + y) * width() + on_screen.x + x];
      Pixel& other = fills ? *buffer : buffer[(in_buffer.y + y) * pitch + in_buffer.x + x];
      (reads ? other : shown) = reads ? shown : other;
    }
  return status::success;
}

}  // namespace keelson::sim
