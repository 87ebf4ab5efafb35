// SPDX-License-Identifier: MIT
//
// Owns what never comes twice in a machine: random numbers (UEFI 2.10, 37.5), the monotonic counter
// and the date. All are known to the tests beforehand.
#pragma once

#include <vector>

#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"
#include "host-tests/sim/clock.h"

namespace keelson::sim {

class Random {
 public:
  Random(Calls& calls, Clock& clock);
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;

  EFI_RNG_PROTOCOL* protocol() { return &source_.protocol; }
  // ---- The services ----
  efi::Status next_count(UINT64* count);
  efi::Status get_time(EFI_TIME* time);

  // Every random number from now on is `value`; a device that repeats itself.
  void set_byte(std::byte value) { byte_ = value; }
  // The number that the next call gets; it grows by one with each.
  void set_count(std::uint64_t count) { count_ = count; }
  std::uint64_t count() const { return count_; }
  void set_has_clock(bool has) { has_clock_ = has; }
  // 21 November 2026 at noon, and the seconds since the machine was made.
  EFI_TIME time() const;

 private:
  struct Source {
    EFI_RNG_PROTOCOL protocol{};
    Random* random = nullptr;
  };
  Calls& calls_;
  Clock& clock_;
  Source source_;
  std::byte byte_{0x5a};
  std::uint64_t count_ = 0x1'0000'0001;
  bool has_clock_ = true;
};

}  // namespace keelson::sim
