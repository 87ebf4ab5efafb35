// SPDX-License-Identifier: MIT
//
// Extends PCRs; see measure.h.
#include "stub/measure.h"

#include "efi/firmware/system.h"

namespace keelson::stub {
namespace {

// The outcome of `pcr`, made if there is none yet.
Result<Outcome*> outcome_of(std::uint32_t pcr, Outcomes& outcomes) {
  for (Outcome& outcome : outcomes)
    if (outcome.pcr == pcr) return &outcome;
  TRY(outcomes.push({.pcr = pcr}));
  return &outcomes.back();
}

}  // namespace

Result<> measure(const efi::Tpm& tpm, std::span<const Measurement> list, Outcomes& outcomes) {
  if (!tpm.present()) return {};
  Result<> first_failure;
  for (const Measurement& measurement : list) {
    Outcome* const outcome = TRY(outcome_of(measurement.pcr, outcomes));
    efi::rearm_watchdog();  // the firmware hashes large sections for seconds
    const Result<> measured = tpm.measure(measurement);
    if (measured.has_value()) {
      ++outcome->extended;
    } else {
      ++outcome->failed;
      if (first_failure.has_value()) first_failure = measured;
    }
  }
  return first_failure;
}

}  // namespace keelson::stub
