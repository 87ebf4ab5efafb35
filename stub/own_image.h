// SPDX-License-Identifier: MIT
//
// Owns what our own image stands for on this machine: the sections of the profile that was asked
// for, the candidates among them that fit the machine, the files that a thin UKI pins.
#pragma once

#include "stub/facts.h"
#include "stub/pinned.h"
#include "stub/plan_image.h"
#include "stub/screen.h"

namespace keelson::stub {

struct OwnImage {
  PinnedFiles files;  // empty, unless the image is a thin one
  uki::Contents contents;
  KernelOrigin origin = KernelOrigin::section;
};

// `facts` must live as long as the result; nothing has been measured yet. Errors, each of which
// ends the boot: those of choose_sections, thin_uki::find_pins and read_pinned.
Result<OwnImage> resolve_own_image(const efi::Image& self, const Facts& facts, Screen& screen,
                                   TextArena& texts);

}  // namespace keelson::stub
