// SPDX-License-Identifier: MIT
//
// Owns what is on the screen while a large file is read: nothing for half a second, then one line
// with the file's name and a percentage. It is wiped when this ends.
#pragma once

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/volume.h"

namespace keelson::efi {

class ReadProgress final : public ReadObserver {
 public:
  // `name` must live as long as this.
  ReadProgress(Console& console, const Clock& clock, std::u16string_view name)
      : console_(console), clock_(clock), name_(name), began_(clock.now_us()) {}
  ~ReadProgress();
  void chunk_read(std::uint64_t done, std::uint64_t total) override;

 private:
  static constexpr std::uint64_t quiet_us = 500'000;
  Console& console_;
  const Clock& clock_;
  std::u16string_view name_;
  std::optional<std::uint64_t> began_;
  std::uint64_t shown_percent_ = 0;
  std::size_t shown_width_ = 0;  // 0: nothing on the screen
};

}  // namespace keelson::efi
