// SPDX-License-Identifier: MIT
//
// Choice and calibration of the time source (clock.h).
#include "efi/firmware/clock.h"

#include <algorithm>

#include "efi/firmware/acpi_timer.h"
#include "efi/firmware/cpu.h"
#include "efi/firmware/protocol.h"

namespace keelson::efi {
namespace {

constexpr std::uint64_t microseconds_per_second = 1'000'000;

// The frequency of the CPU's counter, measured for 100 us: at 3.58 MHz within 0.3 %. A timer that
// stands still ends it after `most_reads`; each read of a port takes about a microsecond.
std::optional<std::uint64_t> calibrate(const AcpiTimer& timer) {
  constexpr std::uint32_t wanted_ticks = 358;
  constexpr int most_reads = 2'000;
  const std::uint32_t first = cpu::read_pm_timer(timer.port);
  const std::uint64_t counter_first = cpu::counter();
  std::uint32_t passed = 0;
  for (int i = 0; i < most_reads && passed < wanted_ticks; ++i) {
    cpu::pause();
    passed = (cpu::read_pm_timer(timer.port) - first) & timer.mask;
  }
  const std::uint64_t counted = cpu::counter() - counter_first;
  if (passed < wanted_ticks || passed > 100 * wanted_ticks) return std::nullopt;
  return counted * AcpiTimer::frequency / passed;
}

std::optional<std::uint64_t> find_counter_frequency() {
  if (const auto named = cpu::counter_frequency()) return named;
  const auto timer = find_acpi_timer();
  return timer ? calibrate(*timer) : std::nullopt;
}

}  // namespace

Clock::Clock() : virtual_machine_(cpu::is_virtual_machine()) {
  TimestampProperties properties{};
  if (auto* const protocol = locate<TimestampProtocol>();
      protocol != nullptr && !failed(protocol->get_properties(&properties)) &&
      properties.frequency != 0) {
    source_ = Source::timestamp_protocol;
    protocol_ = protocol;
    frequency_ = properties.frequency;
  } else if (const auto frequency = find_counter_frequency(); frequency && *frequency != 0) {
    source_ = Source::cpu_counter;
    frequency_ = *frequency;
  }
}

std::optional<std::uint64_t> Clock::now_us() const {
  std::uint64_t ticks = 0;
  switch (source_) {
    case Source::none:
      return std::nullopt;
    case Source::timestamp_protocol:
      ticks = static_cast<TimestampProtocol*>(protocol_)->get_timestamp();
      break;
    case Source::cpu_counter:
      ticks = cpu::counter();
      break;
  }
  // Whole seconds first: the product must not overflow.
  return ticks / frequency_ * microseconds_per_second +
         ticks % frequency_ * microseconds_per_second / frequency_;
}

std::uint64_t Clock::elapsed_us(std::optional<std::uint64_t> since) const {
  const auto now = now_us();
  return now && since && *now > *since ? *now - *since : 0;
}

void stall_us(std::uint64_t microseconds) {
  boot_services().Stall(std::min(microseconds, microseconds_per_second));
}

}  // namespace keelson::efi
