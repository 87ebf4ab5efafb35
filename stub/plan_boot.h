// SPDX-License-Identifier: MIT
//
// Owns what is measured of everything that came from outside the image (stub.md 2.3, 2.4), in the
// order that others predict. Which of it the kernel gets, given what could be measured, is
// initrd.h's and device_trees.h's. Pure.
#pragma once

#include "stub/plan_line.h"

namespace keelson::stub {

struct BootPlan {
  LinePlan line;
  PlannedEvents events;
  TextArena texts;  // what the views above point to
};
// Error: out_of_memory.
Result<BootPlan> plan_boot(const Facts& facts, const ImagePlan& image, const Gathered& gathered);

}  // namespace keelson::stub
