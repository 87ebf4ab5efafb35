// SPDX-License-Identifier: MIT
//
// Owns asking the firmware which screen is built in (EFI_EDID_DISCOVERED_PROTOCOL,
// UEFI 2.10, 12.9).
#pragma once

#include "efi/firmware/handle.h"
#include "efi/format/hardware_ids.h"

namespace keelson::efi {

// Of the first screen with a valid EDID; nullopt if there is none.
std::optional<hardware_ids::PanelId> find_panel();

}  // namespace keelson::efi
