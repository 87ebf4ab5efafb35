// SPDX-License-Identifier: MIT
//
// Owns the list of what a run of the loader works with: our image and what its steps share. Made
// once in main; a step that is not given it can touch nothing.
#pragma once

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/image.h"
#include "efi/firmware/log.h"
#include "efi/firmware/times.h"
#include "efi/firmware/tpm.h"

namespace keelson::loader {

struct Machine {
  efi::Image& self;
  efi::Console& console;
  const efi::Clock& clock;
  efi::Log& log;
  efi::Times& times;
  const efi::Tpm& tpm;
  efi::WriteGate& gate;

  efi::Variables variables() const { return self.variables(); }
};

}  // namespace keelson::loader
