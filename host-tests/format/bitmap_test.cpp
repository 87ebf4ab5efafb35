// SPDX-License-Identifier: MIT
//
// BMP pictures (efi/format/bitmap.h; stub.md 6; security.md 5, I-BMP): every accepted form is
// written here bit by bit from colours that are then expected back; every bad input by name.
#include "efi/format/bitmap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "efi/base/wire.h"

namespace keelson {
namespace {

using Buffer = std::vector<std::byte>;

// A picture and how it is written. What is not given is what it should be.
struct Sample {
  std::uint32_t width = 5, height = 3, depth = 24;
  std::uint32_t dib_size = 40, compression = 0, colors_used = 0;
  std::array<std::uint32_t, 4> masks = {};  // red, green, blue, alpha; written as far as they fit
  std::optional<std::uint32_t> file_size = {}, pixels_at = {}, palette_colors = {};
  std::optional<std::uint32_t> real_width = {}, real_height = {};
  std::size_t cut = 0;  // bytes at the end

  // The raw value of a pixel; a pattern that differs in every pixel of a small picture.
  std::function<std::uint32_t(std::uint32_t x, std::uint32_t y)> raw = {};

  std::uint32_t raw_at(std::uint32_t x, std::uint32_t y) const {
    const std::uint32_t value = raw ? raw(x, y) : (x * 0x01234567u + y * 0x89abcdefu + 0x2468ace1u);
    return depth == 32 ? value : value & ((1u << depth) - 1);
  }
  // Colour `i` of the palette.
  static Pixel color(std::uint32_t i) {
    return {.blue = static_cast<std::uint8_t>(3 * i + 1),
            .green = static_cast<std::uint8_t>(5 * i + 2),
            .red = static_cast<std::uint8_t>(255 - i)};
  }
  std::uint32_t colors() const { return palette_colors.value_or(depth <= 8 ? 1u << depth : 0); }

  Buffer file() const {
    Buffer bytes;
    const auto put = [&](std::uint64_t value, std::size_t size) {
      for (std::size_t i = 0; i < size; ++i)
        bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
    };
    put('B', 1), put('M', 1), put(0, 4), put(0, 4), put(0, 4);
    put(dib_size, 4), put(width, 4), put(height, 4), put(1, 2), put(depth, 2), put(compression, 4);
    put(0, 4), put(2835, 4), put(2835, 4), put(colors_used, 4), put(0, 4);
    const std::size_t header_end = 14 + std::min<std::size_t>(dib_size, 124);
    for (const std::uint32_t mask : masks)
      if (bytes.size() + 4 <= header_end) put(mask, 4);
    while (bytes.size() < header_end) put(0, 1);
    for (std::uint32_t i = 0; i < colors(); ++i)
      put(color(i).blue, 1), put(color(i).green, 1), put(color(i).red, 1), put(0xcc, 1);
    const auto at = static_cast<std::uint32_t>(bytes.size());
    const std::uint32_t rows = real_height.value_or(height);
    for (std::uint32_t y = rows; y-- != 0;) write_row(bytes, y);
    bytes.resize(bytes.size() - cut);
    patch(bytes, 2, file_size.value_or(static_cast<std::uint32_t>(bytes.size())));
    patch(bytes, 10, pixels_at.value_or(at));
    return bytes;
  }

 private:
  // Highest bits first below a byte, lowest bytes first above.
  void write_row(Buffer& bytes, std::uint32_t y) const {
    const std::uint32_t columns = real_width.value_or(width);
    Buffer row((std::size_t{columns} * depth + 31) / 32 * 4);
    for (std::uint32_t x = 0; x < columns; ++x)
      for (std::uint32_t bit = 0; bit < depth; ++bit) {
        const bool set = (raw_at(x, y) >> bit & 1) != 0;
        const std::size_t at = std::size_t{x} * depth + (depth < 8 ? depth - 1 - bit : bit);
        const std::size_t in_byte = depth < 8 ? 7 - at % 8 : at % 8;
        if (set) row[at / 8] |= static_cast<std::byte>(1u << in_byte);
      }
    bytes.insert(bytes.end(), row.begin(), row.end());
  }
  static void patch(Buffer& bytes, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
  }
};

std::vector<Pixel> drawn(const Bitmap& bitmap, Pixel below) {
  std::vector<Pixel> pixels(std::size_t{bitmap.width()} * bitmap.height(), below);
  for (std::uint32_t y = 0; y < bitmap.height(); ++y)
    bitmap.draw_row(y, std::span(pixels).subspan(std::size_t{y} * bitmap.width(), bitmap.width()));
  return pixels;
}

constexpr Pixel below = {.blue = 200, .green = 100, .red = 50, .reserved = 9};

// `expected` says from the raw value what is to be seen.
void expect_pixels(const Sample& sample, const std::function<Pixel(std::uint32_t)>& expected) {
  const Buffer file = sample.file();
  const auto bitmap = Bitmap::parse(file);
  ASSERT_TRUE(bitmap.has_value()) << bitmap.error().what;
  ASSERT_EQ(bitmap->width(), sample.width);
  ASSERT_EQ(bitmap->height(), sample.height);
  const auto pixels = drawn(*bitmap, below);
  for (std::uint32_t y = 0; y < sample.height; ++y)
    for (std::uint32_t x = 0; x < sample.width; ++x)
      ASSERT_EQ(pixels[y * sample.width + x], expected(sample.raw_at(x, y)))
          << "at " << x << "," << y << " of depth " << sample.depth;
}

// A colour of `bits` bits, spread over 0 to 255: rounded to the nearest, by floating point.
std::uint8_t spread(std::uint32_t value, std::uint32_t bits) {
  const double largest = static_cast<double>((std::uint64_t{1} << bits) - 1);
  return static_cast<std::uint8_t>(value * 255.0 / largest + 0.5);
}
std::uint8_t mixed(std::uint32_t over, std::uint32_t under, std::uint32_t opacity) {
  return static_cast<std::uint8_t>((over * opacity + under * (255.0 - opacity)) / 255.0 + 0.5);
}
std::uint32_t bits_of(std::uint32_t raw, std::uint32_t shift, std::uint32_t count) {
  return raw >> shift & ((1u << count) - 1);
}

TEST(BitmapForms, PalettesOfEveryDepthAndWidth) {
  for (const std::uint32_t depth : {1u, 4u, 8u})
    for (std::uint32_t width = 1; width <= 33; ++width)  // I-BMP 11: padding of every kind
      expect_pixels({.width = width, .height = 4, .depth = depth}, Sample::color);
}

TEST(BitmapForms, PaletteWithItsSizeNamedOrLargerThanNeeded) {
  expect_pixels({.depth = 4, .colors_used = 16}, Sample::color);
  expect_pixels({.depth = 1, .colors_used = 5, .palette_colors = 5}, Sample::color);
}

TEST(BitmapForms, Of24Bits) {
  const auto expected = [](std::uint32_t raw) {
    return Pixel{.blue = static_cast<std::uint8_t>(raw),
                 .green = static_cast<std::uint8_t>(raw >> 8),
                 .red = static_cast<std::uint8_t>(raw >> 16)};
  };
  for (std::uint32_t width = 1; width <= 9; ++width) expect_pixels({.width = width}, expected);
  expect_pixels({.colors_used = 3, .palette_colors = 3}, expected);
  expect_pixels({.dib_size = 124}, expected);
}

TEST(BitmapForms, Of16BitsWithoutMasks) {
  const auto expected = [](std::uint32_t raw) {
    return Pixel{.blue = spread(bits_of(raw, 0, 5), 5),
                 .green = spread(bits_of(raw, 5, 5), 5),
                 .red = spread(bits_of(raw, 10, 5), 5)};
  };
  for (std::uint32_t width = 1; width <= 4; ++width)
    expect_pixels({.width = width, .height = 9, .depth = 16}, expected);
}

TEST(BitmapForms, Of32BitsWithoutMasksAreOpaque) {
  expect_pixels({.height = 7, .depth = 32}, [](std::uint32_t raw) {
    return Pixel{.blue = static_cast<std::uint8_t>(raw),
                 .green = static_cast<std::uint8_t>(raw >> 8),
                 .red = static_cast<std::uint8_t>(raw >> 16)};
  });
}

TEST(BitmapForms, WhiteIsWhite) {
  for (const std::uint32_t depth : {16u, 24u, 32u})
    expect_pixels({.depth = depth, .raw = [](auto, auto) { return 0xffffffffu; }},
                  [](std::uint32_t) { return Pixel{.blue = 255, .green = 255, .red = 255}; });
}

struct MaskRow {
  const char* name;
  std::uint32_t depth, dib_size, compression;
  // Shift and number of bits: red, green, blue, alpha.
  std::array<std::array<std::uint32_t, 2>, 4> bits;
};
constexpr MaskRow mask_rows[] = {
    {"565", 16, 52, 3, {{{11, 5}, {5, 6}, {0, 5}, {0, 0}}}},
    {"565Backwards", 16, 52, 3, {{{0, 5}, {5, 6}, {11, 5}, {0, 0}}}},
    {"4444", 16, 56, 3, {{{8, 4}, {4, 4}, {0, 4}, {12, 4}}}},
    {"1555", 16, 108, 3, {{{10, 5}, {5, 5}, {0, 5}, {15, 1}}}},
    {"8888", 32, 56, 3, {{{16, 8}, {8, 8}, {0, 8}, {24, 8}}}},
    {"8888Turned", 32, 124, 3, {{{24, 8}, {16, 8}, {8, 8}, {0, 8}}}},
    {"8888WithoutAlpha", 32, 124, 3, {{{16, 8}, {8, 8}, {0, 8}, {0, 0}}}},
    {"AlphaMaskInAHeaderWithoutRoomForIt", 32, 52, 3, {{{16, 8}, {8, 8}, {0, 8}, {0, 0}}}},
    {"MasksWithoutCompression", 32, 56, 0, {{{16, 8}, {8, 8}, {0, 8}, {24, 8}}}},
    {"1010102", 32, 56, 3, {{{20, 10}, {10, 10}, {0, 10}, {30, 2}}}},
    {"OneBitEach", 32, 56, 3, {{{31, 1}, {1, 1}, {0, 1}, {7, 1}}}},
    {"ThirtyOneBitsOfBlue", 32, 52, 3, {{{31, 1}, {31, 1}, {0, 31}, {0, 0}}}},
};

TEST(BitmapForms, Masks) {
  for (const MaskRow& row : mask_rows) {
    SCOPED_TRACE(row.name);
    Sample sample{
        .height = 40, .depth = row.depth, .dib_size = row.dib_size, .compression = row.compression};
    for (std::size_t i = 0; i < 4; ++i)
      sample.masks[i] =
          static_cast<std::uint32_t>(((std::uint64_t{1} << row.bits[i][1]) - 1) << row.bits[i][0]);
    const Buffer file = sample.file();
    const auto bitmap = Bitmap::parse(file);
    ASSERT_TRUE(bitmap.has_value()) << bitmap.error().what;
    EXPECT_EQ(bitmap->has_alpha(), row.bits[3][1] != 0);
    expect_pixels(sample, [&](std::uint32_t raw) {
      const auto value = [&](std::size_t i) {
        return spread(bits_of(raw, row.bits[i][0], row.bits[i][1]), row.bits[i][1]);
      };
      const std::uint32_t opacity = row.bits[3][1] != 0 ? value(3) : 255;
      return Pixel{.blue = mixed(value(2), below.blue, opacity),
                   .green = mixed(value(1), below.green, opacity),
                   .red = mixed(value(0), below.red, opacity)};
    });
  }
}

TEST(BitmapForms, RowsAndRoomThatAreNotThere) {
  const Buffer file = Sample{.width = 4, .height = 2}.file();
  const auto bitmap = Bitmap::parse(file);
  ASSERT_TRUE(bitmap.has_value());
  std::vector<Pixel> row(6, below);
  bitmap->draw_row(2, row);
  EXPECT_EQ(row, std::vector<Pixel>(6, below)) << "there is no third row";
  bitmap->draw_row(0, row);
  EXPECT_EQ(row[4], below) << "behind the row";
  EXPECT_NE(row[3], below);
  bitmap->draw_row(1, std::span<Pixel>());
}

struct BadRow {
  const char* name;  // with its number in I-BMP
  Sample sample;
  Errc code;
};
const BadRow bad_rows[] = {
    {"1 size field larger", {.file_size = 1000}, Errc::malformed},
    {"1 size field smaller", {.file_size = 101}, Errc::malformed},
    {"1 size field 0", {.file_size = 0}, Errc::malformed},
    {"2 pixels in the file header", {.pixels_at = 13}, Errc::malformed},
    {"2 pixels in the info header", {.pixels_at = 53}, Errc::malformed},
    {"2 pixels past the end", {.pixels_at = 103}, Errc::malformed},
    {"2 pixels at 2^32-1", {.pixels_at = 0xffffffff}, Errc::malformed},
    {"3 width 0", {.width = 0}, Errc::unsupported},
    {"3 height 0", {.height = 0}, Errc::unsupported},
    {"3 width 2^31", {.width = 1u << 31, .real_width = 5}, Errc::unsupported},
    {"3 height 2^31", {.height = 1u << 31, .real_height = 3}, Errc::unsupported},
    {"3 width negative", {.width = 0xfffffffb, .real_width = 5}, Errc::unsupported},
    {"3 height negative: top-down", {.height = 0xfffffffd, .real_height = 3}, Errc::unsupported},
    {"4 depth 0", {.depth = 0, .palette_colors = 1}, Errc::unsupported},
    {"4 depth 2", {.depth = 2}, Errc::unsupported},
    {"4 depth 15", {.depth = 15}, Errc::unsupported},
    {"4 depth 64", {.width = 1, .height = 1, .depth = 32, .dib_size = 40}, Errc::unsupported},
    {"5 compression 1", {.depth = 8, .compression = 1}, Errc::unsupported},
    {"5 compression 2", {.depth = 4, .compression = 2}, Errc::unsupported},
    {"5 compression 4", {.compression = 4}, Errc::unsupported},
    {"5 bit fields of 24 bits", {.compression = 3}, Errc::unsupported},
    {"5 bit fields of 8 bits", {.depth = 8, .compression = 3}, Errc::unsupported},
    {"6 palette of 15 colours", {.depth = 4, .palette_colors = 15}, Errc::malformed},
    {"6 palette of 15 colours, named",
     {.depth = 4, .colors_used = 15, .palette_colors = 15},
     Errc::malformed},
    {"6 no palette", {.depth = 8, .palette_colors = 0}, Errc::malformed},
    {"6 palette larger than named", {.depth = 1, .palette_colors = 3}, Errc::malformed},
    {"6 bytes before pixels that need none", {.palette_colors = 1}, Errc::malformed},
    {"7 colours used 2^32-1", {.depth = 8, .colors_used = 0xffffffff}, Errc::malformed},
    {"7 colours used 2^32-1, no palette",
     {.depth = 8, .colors_used = 0xffffffff, .palette_colors = 0},
     Errc::malformed},
    {"7 colours used 2^30: times four is 0 in 32 bits",
     {.depth = 8, .colors_used = 1u << 30, .palette_colors = 0},
     Errc::malformed},
    {"8 mask 0",
     {.depth = 32, .dib_size = 52, .compression = 3, .masks = {0xff0000, 0, 0xff}},
     Errc::malformed},
    {"8 mask all ones",
     {.depth = 32, .dib_size = 52, .compression = 3, .masks = {0xff0000, 0xff00, 0xffffffff}},
     Errc::malformed},
    {"8 alpha mask all ones",
     {.depth = 32, .dib_size = 56, .compression = 3, .masks = {0xff0000, 0xff00, 0xff, 0xffffffff}},
     Errc::malformed},
    {"8 mask with a hole",
     {.depth = 32, .dib_size = 52, .compression = 3, .masks = {0xff0000, 0xf0f0, 0xff}},
     Errc::malformed},
    {"8 mask outside a pixel of 16 bits",
     {.depth = 16, .dib_size = 52, .compression = 3, .masks = {0x1f0000, 0x7e0, 0x1f}},
     Errc::malformed},
    {"10 padding of the last row missing", {.cut = 1}, Errc::truncated},
    {"10 all pixels missing", {.cut = 48}, Errc::truncated},
    {"13 header of 12 bytes", {.dib_size = 12}, Errc::unsupported},
    {"13 header of 39 bytes", {.dib_size = 39}, Errc::unsupported},
    {"13 header of 2^32-1 bytes", {.dib_size = 0xffffffff}, Errc::truncated},
    {"too large: one row over 2 Mi pixels of 32 bits",
     {.width = 2048, .height = 1025, .depth = 32, .real_height = 1},
     Errc::unsupported},
    {"too large: width times height overflows",
     {.width = 0x7fffffff, .height = 0x7fffffff, .depth = 32, .real_width = 1, .real_height = 1},
     Errc::unsupported},
};

TEST(BitmapBadInput, IsRefused) {
  for (const BadRow& row : bad_rows) {
    Buffer file = row.sample.file();
    if (std::string_view(row.name) == "4 depth 64") file[28] = std::byte{64};
    const auto bitmap = Bitmap::parse(file);
    ASSERT_FALSE(bitmap.has_value()) << row.name;
    EXPECT_EQ(name(bitmap.error().code), name(row.code)) << row.name << ": " << bitmap.error().what;
  }
}

TEST(BitmapBadInput, MasksInAHeaderThatTheFileEndsBefore) {  // I-BMP 9
  Buffer file = Sample{.depth = 32, .dib_size = 56, .masks = {0xff0000, 0xff00, 0xff}}.file();
  file.resize(14 + 40 + 8);
  file[2] = static_cast<std::byte>(file.size());
  file[3] = std::byte{0};
  const auto bitmap = Bitmap::parse(file);
  ASSERT_FALSE(bitmap.has_value());
  EXPECT_EQ(bitmap.error().code, Errc::truncated);
}

TEST(BitmapBadInput, LargestPictureThatIsAllowed) {
  const Buffer file = Sample{.width = 2048, .height = 1024, .depth = 32}.file();
  EXPECT_TRUE(Bitmap::parse(file).has_value());
}

TEST(BitmapBadInput, EveryPrefixIsRefused) {
  for (const std::uint32_t depth : {1u, 8u, 16u, 24u, 32u}) {
    const Buffer whole = Sample{.depth = depth}.file();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Buffer file(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(Bitmap::parse(file).has_value()) << "the size field is wrong";
      if (size < 6) continue;
      for (std::size_t i = 0; i < 4; ++i) file[2 + i] = static_cast<std::byte>(size >> (8 * i));
      EXPECT_FALSE(Bitmap::parse(file).has_value()) << depth << " " << size;
    }
  }
}

TEST(BitmapBadInput, EveryFlippedHeaderBitIsRefusedOrStaysInBounds) {
  for (const std::uint32_t depth : {1u, 4u, 16u, 32u}) {
    const Buffer whole =
        Sample{.depth = depth, .dib_size = 56, .masks = {0x7c00, 0x3e0, 0x1f, 0x8000}}.file();
    for (std::size_t bit = 0; bit < 70 * 8; ++bit) {
      Buffer file = whole;
      file[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
      const auto bitmap = Bitmap::parse(file);
      if (!bitmap.has_value()) continue;
      EXPECT_LE(std::uint64_t{bitmap->width()} * bitmap->height() * depth, Bitmap::max_bits);
      (void)drawn(*bitmap, below);  // the sanitizer watches
    }
  }
}

}  // namespace
}  // namespace keelson
