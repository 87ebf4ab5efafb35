// SPDX-License-Identifier: MIT
//
// Asks what the machine is; see hardware.h.
#include "stub/hardware.h"

#include "efi/firmware/device_tree.h"
#include "efi/firmware/panel.h"

namespace keelson::stub {

Hardware observe_hardware(const smbios::Table& smbios) {
  Hardware hardware;
  hardware.machine = hardware_ids::machine_of(smbios, efi::find_panel());
  const auto tree = efi::installed_device_tree();
  hardware.has_device_tree = tree.has_value() || tree.error().code != Errc::not_found;
  if (!tree.has_value()) return hardware;
  if (const auto board = tree->compatible(); board.has_value()) hardware.board = *board;
  return hardware;
}

}  // namespace keelson::stub
