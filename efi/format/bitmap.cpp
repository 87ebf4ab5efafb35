// SPDX-License-Identifier: MIT
//
// Checks, palettes, masks, rows (bitmap.h).
#include "efi/format/bitmap.h"

#include <algorithm>
#include <bit>

#include "efi/base/wire.h"

namespace keelson {
namespace {

struct FileHeader {  // BITMAPFILEHEADER
  std::array<char, 2> signature;
  Le<std::uint32_t> file_size;
  Le<std::uint16_t> reserved[2];
  Le<std::uint32_t> pixels_at;
};
static_assert(sizeof(FileHeader) == 14 && alignof(FileHeader) == 1);

struct InfoHeader {  // BITMAPINFOHEADER, which every later header begins with
  Le<std::uint32_t> header_size, width, height;
  Le<std::uint16_t> planes, depth;
  Le<std::uint32_t> compression, image_size;
  Le<std::uint32_t> pixels_per_metre[2];
  Le<std::uint32_t> colors_used, colors_important;
};
static_assert(sizeof(InfoHeader) == 40 && alignof(InfoHeader) == 1);

// Headers of these sizes hold masks behind the InfoHeader.
constexpr std::uint32_t header_with_rgb_masks = 52;
constexpr std::uint32_t header_with_alpha_mask = 56;

constexpr std::uint32_t not_compressed = 0;
constexpr std::uint32_t bit_fields = 3;
constexpr std::uint32_t color_size = 4;  // of the palette: blue, green, red, unused
constexpr std::uint32_t largest_side = 0x7fff'ffff;

bool is_indexed(std::uint32_t depth) { return depth <= 8; }

bool is_known_form(std::uint32_t depth, std::uint32_t compression) {
  switch (depth) {
    case 1:
    case 4:
    case 8:
    case 24:
      return compression == not_compressed;
    case 16:
    case 32:
      return compression == not_compressed || compression == bit_fields;
    default:
      return false;
  }
}

std::uint8_t blend(std::uint32_t over, std::uint32_t below, std::uint32_t opacity) {
  return static_cast<std::uint8_t>((over * opacity + below * (255 - opacity) + 127) / 255);
}

std::uint8_t byte_at(Bytes bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

}  // namespace

struct Bitmap::Headers {
  FileHeader file;
  InfoHeader info;
  std::uint64_t end = 0;  // where they end
  std::uint64_t gap = 0;  // between them and the pixels: the palette

  static Result<Headers> parse(Bytes bytes);
  Result<> check_gap() const;
};

Result<Bitmap::Headers> Bitmap::Headers::parse(Bytes bytes) {
  Headers headers;
  headers.file = TRY(load<FileHeader>(bytes, 0, "picture without header"));
  if (headers.file.signature != std::array{'B', 'M'})
    return fail(Errc::malformed, "picture is no BMP file");
  if (headers.file.file_size != bytes.size())
    return fail(Errc::malformed, "picture whose size is not what its header says",
                headers.file.file_size);
  headers.info = TRY(load<InfoHeader>(bytes, sizeof(FileHeader), "picture without header"));
  const InfoHeader& info = headers.info;
  if (info.header_size < sizeof(InfoHeader))
    return fail(Errc::unsupported, "picture with an old header", info.header_size);
  headers.end = sizeof(FileHeader) + std::uint64_t{info.header_size};
  const std::uint64_t pixels_at = headers.file.pixels_at;
  if (headers.end > bytes.size())
    return fail(Errc::truncated, "picture's header past its end", headers.end);
  if (pixels_at < headers.end || pixels_at > bytes.size())
    return fail(Errc::malformed, "picture's pixels in its header or past its end", pixels_at);
  headers.gap = pixels_at - headers.end;

  if (!is_known_form(info.depth, info.compression))
    return fail(Errc::unsupported, "picture of this depth or compression", info.depth);
  if (info.width == 0 || info.height == 0 || info.width > largest_side ||
      info.height > largest_side)
    return fail(Errc::unsupported, "picture without area, or top-down", info.height);
  TRY(headers.check_gap());
  return headers;
}

// What lies between header and pixels is the palette, all of it.
Result<> Bitmap::Headers::check_gap() const {
  const std::uint32_t depth = info.depth;
  const std::uint64_t whole = is_indexed(depth) ? std::uint64_t{1} << depth : 0;
  const std::uint64_t colors = info.colors_used != 0 ? info.colors_used.get() : whole;
  if (gap == 0 && !is_indexed(depth)) return {};
  if (gap != colors * color_size)
    return fail(Errc::malformed, "picture's palette has not the size that it should have", gap);
  if (colors < whole) return fail(Errc::malformed, "picture's palette lacks colors", colors);
  return {};
}

Result<Bitmap::Channels> Bitmap::read_channels(Bytes file, const Headers& headers) {
  const std::uint32_t depth = headers.info.depth;
  if (depth != 16 && depth != 32) return Channels{};
  std::array<Le<std::uint32_t>, 4> masks =
      depth == 16 ? std::array<Le<std::uint32_t>, 4>{0x7c00, 0x03e0, 0x001f, 0}
                  : std::array<Le<std::uint32_t>, 4>{0xff'0000, 0x00'ff00, 0x00'00ff, 0};
  const std::uint32_t size = headers.info.header_size;
  constexpr std::uint64_t masks_at = sizeof(FileHeader) + sizeof(InfoHeader);
  if (size >= header_with_rgb_masks) {
    struct Masks {
      std::array<Le<std::uint32_t>, 3> rgb;
    };
    const auto rgb = TRY(load<Masks>(file, masks_at, "picture's masks past its end")).rgb;
    std::ranges::copy(rgb, masks.begin());
  }
  if (size >= header_with_alpha_mask)
    masks[alpha] =
        TRY(load<Le<std::uint32_t>>(file, masks_at + 12, "picture's masks past its end"));

  Channels channels;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::uint32_t mask = masks[i];
    if (mask == 0 && i == alpha) continue;
    if (mask == 0 || mask == ~std::uint32_t{0})
      return fail(Errc::malformed, "picture with a mask of no bits, or of all", mask);
    const auto shift = static_cast<std::uint32_t>(std::countr_zero(mask));
    const std::uint32_t largest = mask >> shift;
    if (!std::has_single_bit(largest + 1) || (depth == 16 && mask > 0xffff))
      return fail(Errc::malformed, "picture with a mask of scattered bits, or outside the pixel",
                  mask);
    channels[i] = {.mask = mask, .shift = shift, .largest = largest};
  }
  return channels;
}

Result<Bitmap> Bitmap::parse(Bytes file) {
  const Headers headers = TRY(Headers::parse(file));
  Bitmap bitmap;
  bitmap.width_ = headers.info.width;
  bitmap.height_ = headers.info.height;
  bitmap.depth_ = headers.info.depth;
  const std::uint64_t row_bits = std::uint64_t{bitmap.width_} * bitmap.depth_;  // below 2^37
  const auto bits = checked_multiply(row_bits, bitmap.height_);
  if (!bits || *bits > max_bits) return fail(Errc::unsupported, "picture too large", row_bits);
  bitmap.stride_ = (row_bits + 31) / 32 * 4;
  // Cannot overflow: below 2^34 times 2^31.
  bitmap.pixels_ = TRY(slice(file, headers.file.pixels_at, bitmap.stride_ * bitmap.height_,
                             "picture's pixels past its end"));
  if (is_indexed(bitmap.depth_))
    bitmap.palette_ = TRY(slice(file, headers.end, headers.gap, "picture's palette past its end"));
  bitmap.channels_ = TRY(read_channels(file, headers));
  return bitmap;
}

Pixel Bitmap::palette_color(std::uint32_t index) const {
  const Bytes color = palette_.subspan(std::size_t{index} * color_size, color_size);
  return {.blue = byte_at(color, 0), .green = byte_at(color, 1), .red = byte_at(color, 2)};
}

// Pixels of 1, 4 or 8 bits, the highest bits of a byte first.
void Bitmap::draw_palette_row(Bytes line, std::span<Pixel> row) const {
  const std::uint32_t index_mask = (1u << depth_) - 1;
  for (std::size_t x = 0; x < row.size(); ++x) {
    const std::size_t bit = x * depth_;
    const std::size_t shift = 8 - depth_ - bit % 8;
    row[x] = palette_color((byte_at(line, bit / 8) >> shift) & index_mask);
  }
}

// Pixels of 16 or 32 bits, in which the masks say where the colours lie.
void Bitmap::draw_packed_row(Bytes line, std::span<Pixel> row) const {
  const std::size_t pixel_size = depth_ / 8;
  for (std::size_t x = 0; x < row.size(); ++x) {
    std::uint32_t packed = 0;
    for (std::size_t i = 0; i < pixel_size; ++i)
      packed |= std::uint32_t{byte_at(line, x * pixel_size + i)} << (8 * i);
    const auto value = [&](ChannelIndex index) -> std::uint32_t {
      const Channel& channel = channels_[index];
      const std::uint64_t raw = (packed & channel.mask) >> channel.shift;
      if (channel.largest == 255) return static_cast<std::uint32_t>(raw);
      return static_cast<std::uint32_t>((raw * 255 + channel.largest / 2) / channel.largest);
    };
    const std::uint32_t opacity = has_alpha() ? value(alpha) : 255;
    const Pixel below = row[x];
    row[x] = {.blue = blend(value(blue), below.blue, opacity),
              .green = blend(value(green), below.green, opacity),
              .red = blend(value(red), below.red, opacity)};
  }
}

void Bitmap::draw_row(std::uint32_t y, std::span<Pixel> row) const {
  if (y >= height_) return;
  const auto line = pixels_.subspan(static_cast<std::size_t>(stride_ * (height_ - 1 - y)),
                                    static_cast<std::size_t>(stride_));
  row = row.first(std::min<std::size_t>(row.size(), width_));
  if (is_indexed(depth_)) return draw_palette_row(line, row);
  if (depth_ != 24) return draw_packed_row(line, row);
  for (std::size_t x = 0; x < row.size(); ++x)
    row[x] = {.blue = byte_at(line, 3 * x),
              .green = byte_at(line, 3 * x + 1),
              .red = byte_at(line, 3 * x + 2)};
}

}  // namespace keelson
