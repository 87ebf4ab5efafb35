// SPDX-License-Identifier: MIT
//
// Owns handing a random seed to the kernel (stub.md 8.3): mixes what the firmware, an earlier
// program and the file \loader\random-seed of the ESP have, replaces the file's content in place,
// and only then installs the table that Linux credits. What is computed, and when nothing is, is
// efi/format/random_seed.h.
#pragma once

#include "efi/base/diagnostics.h"
#include "efi/firmware/image.h"

namespace keelson::stub {

// Never fails: a reason why no seed was passed on is a line in the log, unless there is none on
// this machine. `gate` is closed by a write that failed. The table is wiped and taken away when the
// program ends without a kernel (R11, R12).
void pass_random_seed(const efi::Image& self, bool secure_boot, efi::WriteGate& gate,
                      Diagnostics& diagnostics);

}  // namespace keelson::stub
