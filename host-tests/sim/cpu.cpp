// SPDX-License-Identifier: MIT
//
// The CPU of the simulation (efi/firmware/cpu.h): its counter is the virtual clock. Looking at it
// and waiting in a loop take time, so that no loop that waits for a time runs for ever.
#include "efi/firmware/cpu.h"

#include "host-tests/sim/clock.h"

namespace keelson::efi::cpu {
namespace {

constexpr std::uint64_t instruction_ns = 20;
constexpr std::uint64_t port_ns = 1000;

sim::Clock& clock() {
  static constinit sim::Clock without_firmware;
  return sim::Clock::running != nullptr ? *sim::Clock::running : without_firmware;
}

}  // namespace

bool is_virtual_machine() { return clock().is_virtual_machine; }

std::uint64_t counter() {
  clock().advance_ns(instruction_ns);
  return clock().now_ns();
}

std::optional<std::uint64_t> counter_frequency() {
  if (!clock().names_counter_frequency) return std::nullopt;
  return sim::Clock::counter_frequency;
}

std::uint32_t read_pm_timer(std::uint16_t /*port*/) {
  clock().advance_ns(port_ns);
  const std::uint64_t now = clock().now_ns();
  return static_cast<std::uint32_t>(now / 1'000'000'000 * sim::Clock::pm_timer_frequency +
                                    now % 1'000'000'000 * sim::Clock::pm_timer_frequency /
                                        1'000'000'000) &
         0x00ff'ffff;
}

bool has_pc_serial_ports() { return clock().has_pc_serial_ports; }

void pause() { clock().advance_ns(instruction_ns); }

std::uint64_t call_native(void* function, const void* data, std::uint32_t size) {
  return reinterpret_cast<std::uint64_t (*)(const void*, std::uint32_t)>(function)(data, size);
}

void synchronize_code(const std::byte* /*at*/, std::uint64_t /*size*/) {}

}  // namespace keelson::efi::cpu
