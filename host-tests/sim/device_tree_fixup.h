// SPDX-License-Identifier: MIT
//
// Owns EFI_DT_FIXUP_PROTOCOL: a firmware that adds to a device tree what only it knows. Here it
// adds bytes at the end, which a test can find.
#pragma once

#include <string>

#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

class DeviceTreeFixup {
 public:
  explicit DeviceTreeFixup(Calls& calls);
  DeviceTreeFixup(const DeviceTreeFixup&) = delete;
  DeviceTreeFixup& operator=(const DeviceTreeFixup&) = delete;

  // A machine has none until a test says so.
  void enable(std::string added) {
    enabled_ = true;
    added_ = std::move(added);
  }
  // How often it asks for a larger buffer than it gets, whatever it gets.
  void refuse_sizes(int times) { refusals_ = times; }
  // The size it asks for then; 0: one page more.
  void ask_for(std::uint64_t size) { wanted_ = size; }
  void fail_with(efi::Status status) { failure_ = status; }

  bool enabled() const { return enabled_; }
  efi::DeviceTreeFixupProtocol* protocol() { return &device_.protocol; }

 private:
  struct Device {
    efi::DeviceTreeFixupProtocol protocol{};
    DeviceTreeFixup* fixup = nullptr;
  };
  static EFI_STATUS EFIAPI call(efi::DeviceTreeFixupProtocol* self, void* tree, UINTN* size,
                                UINT32 flags);
  efi::Status fix(std::byte* tree, UINTN& size, UINT32 flags);

  Calls& calls_;
  Device device_;
  bool enabled_ = false;
  std::string added_;
  int refusals_ = 0;
  std::uint64_t wanted_ = 0;
  efi::Status failure_ = 0;
};

}  // namespace keelson::sim
