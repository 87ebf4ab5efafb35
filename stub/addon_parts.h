// SPDX-License-Identifier: MIT
//
// Owns which parts of an add-on are used and which add-ons are not (stub.md 4). Pure: the firmware
// has accepted the image before (addons.h).
#pragma once

#include "efi/format/uki.h"

namespace keelson::stub {

// Views into the image; empty: it has none.
struct AddonParts {
  Bytes command_line, device_tree, initrd, ucode;
};

// `contents` are those of the add-on's base, with the device tree of this machine selected;
// `image_uname` is our own `.uname`, empty if there is none. Errors, in the order of the checks:
// not_found (nothing that we could use), malformed (a kernel of its own), denied (made for another
// kernel version), truncated.
Result<AddonParts> choose_addon_parts(const uki::Contents& contents, Bytes image_uname);

}  // namespace keelson::stub
