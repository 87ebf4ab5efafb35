// SPDX-License-Identifier: MIT
//
// Any bytes as a BMP picture, its size field put right so that what lies behind is reached: an
// accepted picture is within the limits, and every row draws exactly its pixels.
#include <algorithm>
#include <vector>

#include "efi/format/bitmap.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  std::vector<std::byte> file(reinterpret_cast<const std::byte*>(data),
                              reinterpret_cast<const std::byte*>(data) + size);
  if (size >= 14) {
    file[0] = std::byte{'B'};
    file[1] = std::byte{'M'};
    for (std::size_t i = 0; i < 4; ++i) file[2 + i] = static_cast<std::byte>(size >> (8 * i));
  }
  const auto picture = Bitmap::parse(file);
  if (!picture.has_value()) return 0;
  const std::uint64_t pixels = std::uint64_t{picture->width()} * picture->height();
  if (pixels == 0 || pixels > Bitmap::max_bits) __builtin_trap();

  constexpr Pixel untouched = {.blue = 1, .green = 2, .red = 3, .reserved = 4};
  std::vector<Pixel> row(std::size_t{picture->width()} + 1, untouched);
  const std::uint32_t rows = std::min(picture->height(), 64u);
  for (std::uint32_t y = 0; y < rows; ++y) {
    picture->draw_row(y, row);
    picture->draw_row(picture->height() - 1 - y, row);
    if (!(row.back() == untouched)) __builtin_trap();
    for (std::size_t x = 0; x + 1 < row.size(); ++x)
      if (row[x].reserved != 0) __builtin_trap();
  }
  return 0;
}
