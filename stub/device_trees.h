// SPDX-License-Identifier: MIT
//
// Owns which device tree the kernel sees (stub.md 6): that of the image, or that of the last add-on
// which has one. Each is prepared before anything of it is measured, and installed only afterwards.
#pragma once

#include "efi/base/diagnostics.h"
#include "efi/firmware/device_tree.h"
#include "stub/gathered.h"
#include "stub/planned_events.h"

namespace keelson::stub {

class DeviceTrees {
 public:
  // `image_tree` may be empty. A tree that the kernel cannot be given is reported; an add-on has
  // none any more then, so that nobody measures it. Error: out_of_memory.
  Result<> prepare(Bytes image_tree, std::span<Addon> addons, Diagnostics& diagnostics);
  // Installs the last one that was measured, or that nobody had to measure. The firmware's own
  // comes back when this ends.
  void install(const PlannedEvents& events, const MeasuredEvents& results,
               Diagnostics& diagnostics);

 private:
  struct Tree {
    std::optional<std::size_t> addon;  // nullopt: of the image, measured with it
    efi::PreparedDeviceTree prepared;
  };
  PageList<Tree> trees_;
  efi::DeviceTreeTable table_;
};

}  // namespace keelson::stub
