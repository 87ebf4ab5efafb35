// SPDX-License-Identifier: MIT
//
// The one pointer through which CPU instructions find their clock.
#include "host-tests/sim/clock.h"

namespace keelson::sim {

constinit Clock* Clock::running = nullptr;

}  // namespace keelson::sim
