// SPDX-License-Identifier: MIT
//
// Owns the table of runtime services: variables, and the reset that ends a run.
#pragma once

#include "efi/firmware/uefi.h"

namespace keelson::sim {

class RuntimeServices {
 public:
  RuntimeServices();
  EFI_RUNTIME_SERVICES table{};
};

}  // namespace keelson::sim
