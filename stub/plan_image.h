// SPDX-License-Identifier: MIT
//
// Owns the first decisions of the stub (stub.md 1 and 2.2, 7.1), those about our own image alone:
// which sections count, whether and how its kernel can be started, what is measured of it. Pure.
// What is added from outside comes later (plan_boot.h).
#pragma once

#include "stub/facts.h"
#include "stub/kernel_start.h"
#include "stub/planned_events.h"

namespace keelson::stub {

// Where the bytes of the kernel are from.
enum class KernelOrigin : std::uint8_t {
  section,      // of our own image
  pinned_file,  // of a thin UKI: compared with the hash that the image holds
};

struct ImagePlan {
  explicit ImagePlan(const uki::Contents& image_contents) : contents(image_contents) {}
  uki::Contents contents;
  KernelStart kernel;    // without its command line
  Bytes device_tree;     // of this machine, if the image has one
  PlannedEvents events;  // PCR 12: the profile; PCR 11: the sections
};

// The sections of the profile that was asked for; of candidates none. Error: not_found.
Result<uki::Effective> choose_sections(const Facts& facts);

// Errors: those of plan_kernel_start for a kernel that cannot be started; out_of_memory.
Result<ImagePlan> plan_image(const Facts& facts, const uki::Contents& contents,
                             KernelOrigin origin);

// The content of an effective section of an image in memory; empty if there is none.
Result<Bytes> content(const uki::Contents& contents, UkiSection id);
// The device tree: the selected `.dtbauto`, else `.dtb`; empty if there is none.
Result<Bytes> device_tree_of(const uki::Contents& contents);

}  // namespace keelson::stub
