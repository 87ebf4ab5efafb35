// SPDX-License-Identifier: MIT
//
// cpu.h for x86-64: CPUID, the time stamp counter, I/O ports.
#include <cpuid.h>

#include <cstddef>

#include "efi/firmware/cpu.h"

namespace keelson::efi::cpu {
namespace {

struct Leaf {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf read(std::uint32_t number) {
  Leaf leaf;
  __cpuid_count(number, 0, leaf.eax, leaf.ebx, leaf.ecx, leaf.edx);
  return leaf;
}

constexpr std::uint32_t hypervisor_base = 0x40000000;
constexpr std::uint32_t hypervisor_timing = 0x40000010;  // EAX: frequency of the TSC in kHz
constexpr std::uint32_t tsc_ratio = 0x15;                // crystal in ECX, ratio EBX / EAX

}  // namespace

bool is_virtual_machine() { return (read(1).ecx & (1u << 31)) != 0; }

std::uint64_t counter() { return __builtin_ia32_rdtsc(); }

std::optional<std::uint64_t> counter_frequency() {
  if (read(0).eax >= tsc_ratio) {
    const Leaf leaf = read(tsc_ratio);
    if (leaf.eax != 0 && leaf.ebx != 0 && leaf.ecx != 0)
      return std::uint64_t{leaf.ecx} * leaf.ebx / leaf.eax;
  }
  if (is_virtual_machine()) {
    const std::uint32_t last = read(hypervisor_base).eax;
    if (last >= hypervisor_timing && last < hypervisor_base + 0x10000) {
      const std::uint32_t kilohertz = read(hypervisor_timing).eax;
      if (kilohertz != 0) return std::uint64_t{kilohertz} * 1000;
    }
  }
  return std::nullopt;
}

std::uint32_t read_pm_timer(std::uint16_t port) {
  std::uint32_t value = 0;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

bool has_pc_serial_ports() { return true; }

void pause() { __builtin_ia32_pause(); }

std::uint64_t call_native(void* function, const void* data, std::uint32_t size) {
  using Function = std::uint64_t(__attribute__((sysv_abi))*)(const void*, std::uint32_t);
  return reinterpret_cast<Function>(function)(data, size);
}

// Instruction fetches see stores.
void synchronize_code(const std::byte* /*at*/, std::uint64_t /*size*/) {}

}  // namespace keelson::efi::cpu
