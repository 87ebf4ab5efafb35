// SPDX-License-Identifier: MIT
//
// Random numbers, counter, date (random.h).
#include "host-tests/sim/random.h"

#include <cstring>

namespace keelson::sim {

Random::Random(Calls& calls, Clock& clock) : calls_(calls), clock_(clock) {
  source_.random = this;
  source_.protocol.GetRNG = [](EFI_RNG_PROTOCOL* self, EFI_RNG_ALGORITHM*, UINTN size, UINT8* out)
                                EFIAPI -> EFI_STATUS {
    Random& random = *reinterpret_cast<Source*>(self)->random;
    if (const auto failure = random.calls_.enter("Rng.GetRNG", std::to_string(size)))
      return *failure;
    if (size == 0 || out == nullptr) return efi::status::invalid_parameter;
    std::memset(out, std::to_integer<int>(random.byte_), size);
    return efi::status::success;
  };
}

efi::Status Random::next_count(UINT64* count) {
  if (const auto failure = calls_.enter("GetNextMonotonicCount")) return *failure;
  *count = count_++;
  return efi::status::success;
}

efi::Status Random::get_time(EFI_TIME* time) {
  if (const auto failure = calls_.enter("GetTime")) return *failure;
  if (!has_clock_) return efi::status::device_error;
  *time = this->time();
  return efi::status::success;
}

EFI_TIME Random::time() const {
  const std::uint64_t seconds = clock_.now_ns() / 1'000'000'000;
  EFI_TIME time{};
  time.Year = 2026;
  time.Month = 11;
  time.Day = 21;
  time.Hour = static_cast<UINT8>(12 + seconds / 3600 % 12);
  time.Minute = static_cast<UINT8>(seconds / 60 % 60);
  time.Second = static_cast<UINT8>(seconds % 60);
  return time;
}

}  // namespace keelson::sim
