// SPDX-License-Identifier: MIT
//
// Owns which of the candidates that a UKI or add-on carries for several machines (`.dtbauto`,
// `.efifw`) belongs to this one (stub.md 1.4). Pure; hardware.h asks what this machine is.
#pragma once

#include "efi/base/diagnostics.h"
#include "efi/format/hardware_ids.h"
#include "efi/format/uki.h"

namespace keelson::stub {

struct Hardware {
  hardware_ids::Machine machine;
  // The firmware has a device tree: then its board decides, and `.hwids` is not asked for one.
  bool has_device_tree = false;
  std::string_view board = {};  // its `compatible`, the first string; empty: it names none
};

// Whether there is something to select from: only then the hardware need be observed.
bool has_candidates(const uki::Uki& uki);

// Selects for each kind the first candidate of `profile` that matches, else of `base`; nothing if
// none does. Each range goes by its own `.hwids`. A selected `.dtbauto` counts instead of any
// `.dtb`: whoever installs looks for it first. Candidates that cannot be read are reported and
// passed over.
void select_candidates(const uki::Uki& uki, uki::Range base, uki::Range profile,
                       const Hardware& hardware, Diagnostics& diagnostics,
                       uki::Effective& effective);

}  // namespace keelson::stub
