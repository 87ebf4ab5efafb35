// SPDX-License-Identifier: MIT
//
// Owns finding the SMBIOS table of the machine (DSP0134 3.7, 5.2): the entry point of version 3,
// else that of version 2. What is in it is efi/format/smbios.h's.
#pragma once

#include "efi/firmware/handle.h"

namespace keelson::efi {

// All structures; the bytes belong to the firmware. Errors: not_found (the platform has none),
// malformed (neither entry point is right).
Result<Bytes> smbios_structures();

}  // namespace keelson::efi
