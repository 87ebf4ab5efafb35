// SPDX-License-Identifier: MIT
//
// Owns how an x86-64 guest finds out that it is a confidential one: CPUID and, for AMD SEV, one MSR
// (AMD APM volume 2, 15.34; Intel TDX module ABI, leaf 0x21; Hyper-V TLFS, isolation leaf).
#include "stub/confidential_vm.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace keelson::stub {
namespace {

struct Cpuid {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Cpuid cpuid(std::uint32_t leaf) {
  Cpuid r;
  asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
  return r;
}

std::uint64_t read_msr(std::uint32_t number) {
  std::uint32_t low = 0, high = 0;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
  return std::uint64_t{high} << 32 | low;
}

// Whether three registers spell the twelve characters of `text`.
bool spells(const std::array<std::uint32_t, 3>& registers, std::string_view text) {
  return text.size() == sizeof(registers) &&
         __builtin_memcmp(registers.data(), text.data(), sizeof(registers)) == 0;
}

// Isolation type that a Hyper-V host states; 0 for none and under other hosts.
std::uint32_t hyperv_isolation() {
  const Cpuid host = cpuid(0x40000000);
  if (host.eax < 0x40000005 || host.eax > 0x4000ffff) return 0;
  if (!spells({host.ebx, host.ecx, host.edx}, "Microsoft Hv")) return 0;
  constexpr std::uint32_t isolation_bit = 1u << 22, cpu_management_bit = 1u << 12;
  const Cpuid features = cpuid(0x40000003);
  if ((features.ebx & isolation_bit) == 0 || (features.ebx & cpu_management_bit) != 0) return 0;
  return cpuid(0x4000000c).ebx & 0xf;
}

bool in_sev_guest() {
  constexpr std::uint32_t sev_leaf = 0x8000001f, sev_bit = 1u << 1, sev_status_msr = 0xc0010131;
  constexpr std::uint64_t sev_active_bits = 7;  // SEV, SEV-ES, SEV-SNP
  constexpr std::uint32_t hyperv_snp = 2;
  const bool has_leaf = cpuid(0x80000000).eax >= sev_leaf;
  if (has_leaf && (cpuid(sev_leaf).eax & sev_bit) != 0)
    return (read_msr(sev_status_msr) & sev_active_bits) != 0;
  return hyperv_isolation() == hyperv_snp;
}

bool in_tdx_guest() {
  constexpr std::uint32_t tdx_leaf = 0x21, hyperv_tdx = 3;
  if (cpuid(0).eax >= tdx_leaf) {
    const Cpuid leaf = cpuid(tdx_leaf);
    if (spells({leaf.ebx, leaf.edx, leaf.ecx}, "IntelTDX    ")) return true;
  }
  return hyperv_isolation() == hyperv_tdx;
}

}  // namespace

bool in_confidential_vm() {
  constexpr std::uint32_t hypervisor_bit = 1u << 31;
  if ((cpuid(1).ecx & hypervisor_bit) == 0) return false;
  const Cpuid vendor = cpuid(0);
  const std::array<std::uint32_t, 3> name = {vendor.ebx, vendor.edx, vendor.ecx};
  if (spells(name, "AuthenticAMD")) return in_sev_guest();
  if (spells(name, "GenuineIntel")) return in_tdx_guest();
  return false;
}

}  // namespace keelson::stub
