// SPDX-License-Identifier: MIT
//
// Owns what the steps of the stub speak and count time through.
#pragma once

#include <string_view>

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/log.h"

namespace keelson::stub {

struct Screen {
  efi::Console& console;
  const efi::Clock& clock;
  efi::Log& log;
  // What the step at hand is about, a path: named in the line that is told if it ends the boot.
  std::u16string_view subject = {};
};

}  // namespace keelson::stub
