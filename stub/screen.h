// SPDX-License-Identifier: MIT
//
// Owns what the steps of the stub speak and count time through.
#pragma once

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/log.h"

namespace keelson::stub {

struct Screen {
  efi::Console& console;
  const efi::Clock& clock;
  efi::Log& log;
};

}  // namespace keelson::stub
