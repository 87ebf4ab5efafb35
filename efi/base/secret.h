// SPDX-License-Identifier: MIT
//
// Owns bytes that nobody may find in memory afterwards (R12 of the security rules): wipe, which no
// compiler leaves out, and Secret, 32 such bytes. What is secret, and what is derived from it, is
// efi/format/random_seed.h.
#pragma once

#include <array>

#include "efi/base/bytes.h"

namespace keelson {

// Overwrites with zeros, also where nobody reads the bytes again.
void wipe(MutableBytes bytes);

// Wiped when it ends. Moving it wipes the place it was at; it cannot be copied.
class Secret {
 public:
  static constexpr std::size_t size = 32;
  Secret() = default;  // all zeros
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe_bytes(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe_bytes();
    }
    return *this;
  }
  ~Secret() { wipe_bytes(); }

  Bytes bytes() const { return bytes_; }
  MutableBytes mutable_bytes() { return bytes_; }
  bool is_zero() const { return bytes_ == std::array<std::byte, size>{}; }

 private:
  void wipe_bytes() { wipe(bytes_); }
  std::array<std::byte, size> bytes_{};
};

}  // namespace keelson
