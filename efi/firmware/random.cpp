// SPDX-License-Identifier: MIT
//
// Random numbers, counter, clock (random.h).
#include "efi/firmware/random.h"

#include <bit>

#include "efi/firmware/uefi.h"

namespace keelson::efi {

Result<> fill_random(void* system_table, MutableBytes out) {
  EFI_BOOT_SERVICES& services = *static_cast<EFI_SYSTEM_TABLE*>(system_table)->BootServices;
  void* found = nullptr;
  TRY(check(services.LocateProtocol(as_efi(protocol_guid::rng), nullptr, &found),
            "no random number protocol"));
  auto* const rng = static_cast<EFI_RNG_PROTOCOL*>(found);
  return check(rng->GetRNG(rng, nullptr, out.size(), reinterpret_cast<UINT8*>(out.data())),
               "no random numbers");
}

Result<> fill_random(MutableBytes out) { return fill_random(&system_table(), out); }

Result<std::uint64_t> next_monotonic_count() {
  UINT64 count = 0;
  TRY(check(boot_services().GetNextMonotonicCount(&count), "no monotonic count"));
  return count;
}

Result<RawTime> raw_time() {
  EFI_TIME time{};
  TRY(check(runtime_services().GetTime(&time, nullptr), "clock cannot be read"));
  return std::bit_cast<RawTime>(time);
}

}  // namespace keelson::efi
