// SPDX-License-Identifier: MIT
//
// Frame buffer and console control (graphics.h).
#include "efi/firmware/graphics.h"

#include "efi/firmware/protocol.h"
#include "efi/firmware/undo.h"

namespace keelson::efi {
namespace {

static_assert(sizeof(Pixel) == sizeof(EFI_GRAPHICS_OUTPUT_BLT_PIXEL));

EFI_GRAPHICS_OUTPUT_BLT_PIXEL* as_efi(const Pixel* pixels) {
  return reinterpret_cast<EFI_GRAPHICS_OUTPUT_BLT_PIXEL*>(const_cast<Pixel*>(pixels));
}

// By action and context is how the undo list knows our change.
void back_to_text(void* context) {
  auto* const control = static_cast<ConsoleControlProtocol*>(context);
  control->set_mode(control, console_control_text);
}

}  // namespace

std::optional<Graphics> Graphics::find() {
  auto* output = interface_on<EFI_GRAPHICS_OUTPUT_PROTOCOL>(system_table().ConsoleOutHandle);
  if (output == nullptr) output = locate<EFI_GRAPHICS_OUTPUT_PROTOCOL>();
  if (output == nullptr || output->Mode == nullptr || output->Mode->Info == nullptr)
    return std::nullopt;
  Graphics graphics;
  graphics.output_ = output;
  graphics.width_ = output->Mode->Info->HorizontalResolution;
  graphics.height_ = output->Mode->Info->VerticalResolution;
  return graphics;
}

Result<> Graphics::fill(Pixel color) {
  return check(
      output_->Blt(output_, as_efi(&color), EfiBltVideoFill, 0, 0, 0, 0, width_, height_, 0),
      "screen cannot be filled");
}

Result<> Graphics::transfer(const Area& area, std::span<Pixel> pixels, bool to_screen) {
  if (pixels.size() < std::uint64_t{area.width} * area.height)
    return fail(Errc::truncated, "fewer pixels than the area has", pixels.size());
  if (to_screen)
    return check(output_->Blt(output_, as_efi(pixels.data()), EfiBltBufferToVideo, 0, 0, area.x,
                              area.y, area.width, area.height, 0),
                 "screen cannot be drawn on");
  return check(output_->Blt(output_, as_efi(pixels.data()), EfiBltVideoToBltBuffer, area.x, area.y,
                            0, 0, area.width, area.height, 0),
               "screen cannot be read");
}

Result<> Graphics::read(const Area& area, std::span<Pixel> pixels) {
  return transfer(area, pixels, false);
}

Result<> Graphics::draw(const Area& area, std::span<const Pixel> pixels) {
  // The firmware only reads them.
  return transfer(area, {const_cast<Pixel*>(pixels.data()), pixels.size()}, true);
}

Result<> show_graphics() {
  auto* const control = locate<ConsoleControlProtocol>();
  if (control == nullptr) return {};
  UINT32 mode = console_control_text;
  BOOLEAN has_graphics = FALSE;
  BOOLEAN input_locked = FALSE;
  TRY(check(control->get_mode(control, &mode, &has_graphics, &input_locked),
            "mode of the screen cannot be read"));
  if (mode == console_control_graphics) return {};
  const std::uint32_t ticket = TRY(running_undo_list().add(back_to_text, control));
  const Result<> switched = check(control->set_mode(control, console_control_graphics),
                                  "screen cannot be switched to graphics");
  if (!switched.has_value()) {
    running_undo_list().remove(ticket);
    return switched;
  }
  // Some firmware shows the cursor when the mode changes.
  if (auto* const text = system_table().ConOut; text != nullptr) text->EnableCursor(text, FALSE);
  return {};
}

void show_text() { running_undo_list().run(back_to_text); }

}  // namespace keelson::efi
