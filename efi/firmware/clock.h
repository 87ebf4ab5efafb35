// SPDX-License-Identifier: MIT
//
// Owns time that passes (design decision 16): the EFI timestamp protocol, else the CPU's counter
// with the frequency it names, else that counter calibrated once against the ACPI PM timer for at
// most 200 us, else nothing. Times are microseconds since the counter started, normally with the
// CPU.
#pragma once

#include <cstdint>
#include <optional>

namespace keelson::efi {

class Clock {
 public:
  // nullopt if this machine has no usable clock.
  std::optional<std::uint64_t> now_us() const;
  // Since a time that now_us() gave; 0 without a clock.
  std::uint64_t elapsed_us(std::optional<std::uint64_t> since) const;
  // LoaderTime* variables mean something only where the counter starts with the boot (not in VMs).
  bool starts_with_the_boot() const { return !virtual_machine_; }
  bool is_virtual_machine() const { return virtual_machine_; }

 private:
  friend class Image;
  Clock();
  enum class Source : std::uint8_t { none, timestamp_protocol, cpu_counter };
  Source source_ = Source::none;
  bool virtual_machine_ = false;
  std::uint64_t frequency_ = 0;  // Hz
  void* protocol_ = nullptr;
};

// Waits, at most a second at once; for times too short for events.
void stall_us(std::uint64_t microseconds);

}  // namespace keelson::efi
