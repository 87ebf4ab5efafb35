// SPDX-License-Identifier: MIT
//
// The firmware's random numbers (random.h).
#include "efi/firmware/random.h"

#include "efi/firmware/protocol.h"

namespace keelson::efi {

Result<> fill_random(MutableBytes out) {
  auto* const rng = locate<EFI_RNG_PROTOCOL>();
  if (rng == nullptr) return fail(Errc::not_found, "no random number protocol");
  return check(rng->GetRNG(rng, nullptr, out.size(), reinterpret_cast<UINT8*>(out.data())),
               "no random numbers");
}

}  // namespace keelson::efi
