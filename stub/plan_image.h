// SPDX-License-Identifier: MIT
//
// Owns the first decisions of the stub (stub.md 1 and 2.2, 7.1), those about our own image alone:
// which sections count, whether and how its kernel can be started, what is measured of it. Pure.
// What is added from outside comes later (plan_boot.h).
#pragma once

#include "efi/format/pe.h"
#include "stub/facts.h"
#include "stub/planned_events.h"

namespace keelson::stub {

// How the kernel gets control.
enum class Start : std::uint8_t {
  in_memory,   // copied into place by us: it was verified as part of our own image
  load_image,  // through LoadImage, where shim 16 verifies it once more
};

struct KernelStart {
  Start how = Start::in_memory;
  pe::Kernel kernel;
  Bytes file;                        // content of .linux
  std::u16string_view command_line;  // followed by a NUL; empty: the kernel gets no load options
};

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

// Errors: not_found (no kernel), those of pe::Kernel::parse for a kernel that cannot be started,
// out_of_memory.
Result<ImagePlan> plan_image(const Facts& facts, const uki::Contents& contents,
                             KernelOrigin origin);

// The content of an effective section of an image in memory; empty if there is none.
Result<Bytes> content(const uki::Contents& contents, UkiSection id);
// The device tree: the selected `.dtbauto`, else `.dtb`; empty if there is none.
Result<Bytes> device_tree_of(const uki::Contents& contents);

}  // namespace keelson::stub
