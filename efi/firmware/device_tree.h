// SPDX-License-Identifier: MIT
//
// Owns the device tree that firmware and kernel share (UEFI 2.10, 4.6; stub.md 6): the one the
// firmware has, copies with the firmware's fix-ups, and installing one as configuration table with
// the earlier one put back when the program ends. Which tree is wanted is the programs' policy.
#pragma once

#include "efi/base/pages.h"
#include "efi/firmware/handle.h"
#include "efi/firmware/undo.h"
#include "efi/format/device_tree.h"

namespace keelson::efi {

// The tree that is installed, if it is one. Errors: not_found, malformed.
Result<device_tree::DeviceTree> installed_device_tree();

// A copy that can be given to the kernel: in memory that the kernel keeps, with what the firmware
// adds to it (EFI_DT_FIXUP_PROTOCOL, if it has one). Nothing is visible to anybody yet.
class PreparedDeviceTree {
 public:
  // `tree` may be followed by other bytes. Errors: those of DeviceTree::parse, out_of_memory, and
  // the firmware's for a tree that it cannot fix up.
  static Result<PreparedDeviceTree> prepare(Bytes tree);

 private:
  friend class DeviceTreeTable;
  Pages pages_;
};

// The configuration table. What was there first comes back when this ends.
class DeviceTreeTable {
 public:
  DeviceTreeTable() = default;
  DeviceTreeTable(const DeviceTreeTable&) = delete;
  DeviceTreeTable& operator=(const DeviceTreeTable&) = delete;
  ~DeviceTreeTable() { restore(); }

  // Replaces the table, also one installed here earlier. On an error it is as before. Errors:
  // out_of_memory, firmware.
  Result<> install(PreparedDeviceTree tree);
  void restore();

 private:
  Pages installed_;
  const void* earlier_ = nullptr;
  UndoRegistration undo_;
};

}  // namespace keelson::efi
