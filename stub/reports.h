// SPDX-License-Identifier: MIT
//
// Owns the variables that the stub sets for user space (stub.md 8.1, 2.5): which, with which
// values, and which PCRs hold something. Pure; publish.h writes them.
#pragma once

#include "efi/format/loader_interface.h"
#include "stub/facts.h"
#include "stub/planned_events.h"

namespace keelson::stub {

struct Variable {
  loader_interface::Name name;
  Bytes value;
  // Says what this image is, where it comes from, or that PCRs hold it and what goes with it:
  // nothing that must be believed of what is started after it.
  bool of_this_image = false;
};

// Where the boot comes from, and what this stub can do. What a loader has reported is left alone.
// Error: out_of_memory. The values live in `texts`.
Result<> plan_reports(const Facts& facts, TextArena& texts, PageList<Variable>& variables);

// What was planned, and what became of it.
struct MeasuredPlan {
  const PlannedEvents& events;
  const MeasuredEvents& results;
};
// The variables that tell user space which PCRs hold something (design decision 7): of kinds of
// which at least one item was measured and none failed. Error: out_of_memory.
Result<> plan_pcr_reports(std::span<const MeasuredPlan> measured, TextArena& texts,
                          PageList<Variable>& variables);

}  // namespace keelson::stub
