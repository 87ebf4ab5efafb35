// SPDX-License-Identifier: MIT
//
// Owns reading pictures in the BMP format (file header and BITMAPINFOHEADER or later, uncompressed)
// as UKIs carry them in .splash: which forms are accepted (stub.md 6; security.md 5, I-BMP), and
// turning rows into pixels of the screen. Where a picture is shown is the stub's.
#pragma once

#include <array>

#include "efi/base/bytes.h"

namespace keelson {

// As EFI_GRAPHICS_OUTPUT_PROTOCOL.Blt takes it.
struct Pixel {
  std::uint8_t blue = 0, green = 0, red = 0, reserved = 0;
  friend constexpr bool operator==(const Pixel&, const Pixel&) = default;
};
static_assert(sizeof(Pixel) == 4 && alignof(Pixel) == 1);

class Bitmap {
 public:
  // Width x height x depth of the largest picture: 2 Mi pixels of 32 bits.
  static constexpr std::uint64_t max_bits = 64_MiB;

  // `file` is the whole file and nothing else. Keeps a view of it. Errors: truncated, malformed,
  // unsupported (a form that is not read: compressed, top-down, of an older header, too large).
  static Result<Bitmap> parse(Bytes file);

  std::uint32_t width() const { return width_; }    // 1 or more
  std::uint32_t height() const { return height_; }  // 1 or more
  // Whether there may be pixels that let shine through what lies below them.
  bool has_alpha() const { return channels_[alpha].mask != 0; }

  // Blends row `y`, counted from the top, over what `row` holds: width() pixels. Rows that are not
  // there, and what does not fit into `row`, are left out.
  void draw_row(std::uint32_t y, std::span<Pixel> row) const;

 private:
  enum ChannelIndex : std::uint8_t { red, green, blue, alpha };
  // Where the bits of one colour lie in a pixel of 16 or 32 bits.
  struct Channel {
    std::uint32_t mask = 0;
    std::uint32_t shift = 0;
    std::uint32_t largest = 0;  // value of the mask's bits
  };
  using Channels = std::array<Channel, 4>;
  struct Headers;

  static Result<Channels> read_channels(Bytes file, const Headers& headers);
  Pixel palette_color(std::uint32_t index) const;
  void draw_palette_row(Bytes line, std::span<Pixel> row) const;
  void draw_packed_row(Bytes line, std::span<Pixel> row) const;

  std::uint32_t width_ = 0, height_ = 0;
  std::uint32_t depth_ = 0;   // bits of a pixel: 1, 4, 8, 16, 24, 32
  std::uint64_t stride_ = 0;  // bytes of a row
  Bytes pixels_;              // the lowest row first
  Bytes palette_;             // 2^depth colours of four bytes; empty above depth 8
  Channels channels_{};       // of depth 16 and 32
};

}  // namespace keelson
