// SPDX-License-Identifier: MIT
//
// The line shown while reading (read_progress.h).
#include "efi/firmware/read_progress.h"

#include <algorithm>

#include "efi/base/diagnostics.h"

namespace keelson::efi {
namespace {

constexpr std::size_t most_name = 255;  // longer ones are no names of files

}  // namespace

void ReadProgress::chunk_read(std::uint64_t done, std::uint64_t total) {
  if (total == 0 || clock_.elapsed_us(began_) < quiet_us) return;
  const std::uint64_t percent = std::min(done, total) * 100 / total;  // no file is near 2^57 bytes
  if (shown_width_ != 0 && percent == shown_percent_) return;
  shown_percent_ = percent;

  // Never as wide as the screen: the cursor must stay on the line.
  const std::size_t columns = std::max<std::size_t>(console_.size().columns, 40);
  char16_t name_room[most_name];
  const std::span<char16_t> name(name_room, std::min({name_.size(), columns - 20, most_name}));
  std::copy_n(name_.begin(), name.size(), name.begin());
  make_printable(name);
  char16_t digits[8];
  std::size_t count = 0;
  for (const char digit : std::string_view(Decimal(percent)))
    digits[count++] = static_cast<char16_t>(digit);
  console_.write(u"\rReading ");
  console_.write({name.data(), name.size()});
  console_.write(u" ");
  console_.write({digits, count});
  console_.write(u" %");
  shown_width_ = 8 + name.size() + 1 + count + 2;
}

ReadProgress::~ReadProgress() {
  if (shown_width_ == 0) return;
  console_.write(u"\r");
  for (std::size_t i = 0; i < shown_width_; ++i) console_.write(u" ");
  console_.write(u"\r");
}

}  // namespace keelson::efi
