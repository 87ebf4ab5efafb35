// SPDX-License-Identifier: MIT
//
// Owns the table of boot services over memory, events, handles and images. The services that no
// program of ours calls are absent: a call would crash.
#pragma once

#include "efi/firmware/uefi.h"

namespace keelson::sim {

class BootServices {
 public:
  BootServices();
  EFI_BOOT_SERVICES table{};
};

}  // namespace keelson::sim
