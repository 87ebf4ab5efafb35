// SPDX-License-Identifier: MIT
//
// Owns extending PCRs with what the plans list, and noting what became of each event. What is
// listed, and what follows from a failure, is decided elsewhere.
#pragma once

#include <optional>

#include "efi/firmware/tpm.h"
#include "stub/planned_events.h"

namespace keelson::stub {

class Measurer {
 public:
  explicit Measurer(const efi::Tpm& tpm) : tpm_(tpm) {}
  // Walks the whole list, also past failures: what was measured stays in the log for those who read
  // it. Error: out_of_memory, before anything was measured.
  Result<MeasuredEvents> measure(const PlannedEvents& events);
  // Of all lists.
  const std::optional<Error>& first_failure() const { return first_failure_; }

 private:
  const efi::Tpm& tpm_;
  std::optional<Error> first_failure_;
};

}  // namespace keelson::stub
