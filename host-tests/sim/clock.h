// SPDX-License-Identifier: MIT
//
// Owns time in the simulation: it passes only when a program waits, reads or looks at a counter,
// never by itself, so that a countdown of 30 s takes no time and every run takes the same.
#pragma once

#include <cstdint>

namespace keelson::sim {

class Clock {
 public:
  static constexpr std::uint64_t counter_frequency = 1'000'000'000;
  static constexpr std::uint64_t pm_timer_frequency = 3'579'545;

  std::uint64_t now_ns() const { return now_ns_; }
  void advance_ns(std::uint64_t nanoseconds) { now_ns_ += nanoseconds; }
  void advance_us(std::uint64_t microseconds) { now_ns_ += microseconds * 1000; }

  // What the CPU says (cpu.cpp).
  bool has_pc_serial_ports = true;
  bool is_virtual_machine = false;
  bool names_counter_frequency = true;

  // That of the firmware whose program runs; nullptr if none does.
  static Clock* running;

 private:
  std::uint64_t now_ns_ = 1'000'000'000;  // firmware took a second
};

}  // namespace keelson::sim
