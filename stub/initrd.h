// SPDX-License-Identifier: MIT
//
// Owns what the kernel's initrd is made of and in which order (stub.md 5.4, 5.5): parts of our
// image, what was gathered beside it and could be measured, files made from sections. Pure. The
// parts are never joined in memory: the kernel fetches them one by one (initrd_media.h).
#pragma once

#include "efi/base/static_vector.h"
#include "stub/plan_boot.h"

namespace keelson::stub {

// Files that user space looks for in /.extra, each an archive by itself.
using ExtraArchives = StaticVector<Pages, 4>;
// Error: out_of_memory.
Result<ExtraArchives> make_extra_archives(const ImagePlan& image);

struct InitrdInputs {
  const ImagePlan& image;
  const Gathered& gathered;
  const ExtraArchives& extra;
  Bytes boot_secret;              // an archive, or empty
  const PlannedEvents& events;    // those of plan_boot,
  const MeasuredEvents& results;  // and what became of them
};
// What could not be measured is left out. The views borrow from what `inputs` refers to. Error:
// out_of_memory.
Result<PageList<Bytes>> plan_initrd(const InitrdInputs& inputs);

}  // namespace keelson::stub
