// SPDX-License-Identifier: MIT
//
// Owns extending PCRs with what the plan lists, and counting what became of it. What is listed, and
// what follows from the counts, is plan.h's.
#pragma once

#include <span>

#include "efi/firmware/tpm.h"
#include "stub/plan.h"

namespace keelson::stub {

using Outcomes = StaticVector<Outcome, 4>;

// Walks the whole list, also past failures: what was measured stays in the log for those who read
// it. A platform that cannot measure has empty outcomes. Error: the first failure; the outcomes
// are complete all the same.
Result<> measure(const efi::Tpm& tpm, std::span<const Measurement> list, Outcomes& outcomes);

}  // namespace keelson::stub
