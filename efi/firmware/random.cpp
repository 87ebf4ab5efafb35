// SPDX-License-Identifier: MIT
//
// The firmware's random numbers (random.h).
#include "efi/firmware/random.h"

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

}  // namespace keelson::efi
