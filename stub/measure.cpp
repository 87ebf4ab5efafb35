// SPDX-License-Identifier: MIT
//
// Extends PCRs; see measure.h.
#include "stub/measure.h"

#include "efi/firmware/system.h"

namespace keelson::stub {

Result<MeasuredEvents> Measurer::measure(const PlannedEvents& events) {
  const std::span<const Measurement> list = events.list.items();
  MeasuredEvents results;
  for (std::size_t i = 0; i < list.size(); ++i) TRY(results.push(Measured::by_nobody));
  if (!tpm_.present()) return results;
  for (std::size_t i = 0; i < list.size(); ++i) {
    efi::rearm_watchdog();  // the firmware hashes large sections for seconds
    const Result<> measured = tpm_.measure(list[i]);
    results[i] = measured.has_value() ? Measured::yes : Measured::failed;
    if (!measured.has_value() && !first_failure_) first_failure_ = measured.error();
  }
  return results;
}

}  // namespace keelson::stub
