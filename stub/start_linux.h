// SPDX-License-Identifier: MIT
//
// Owns the start of the inner kernel (stub.md 7.2 to 7.5): placed in memory under our own handle
// with the page rights it asks for, or through LoadImage; its load options; its initrd. Whatever
// was changed for it is as before when it returns. Old kernels are handover.h's.
#pragma once

#include <span>

#include "efi/firmware/image.h"
#include "stub/kernel_start.h"

namespace keelson::stub {

// Returns only if the kernel gives up before it takes the machine over: its status, or why it could
// not be started. Before a start in memory its pages, rights and options are complete; nothing can
// fail after the first byte of it has run.
Result<> start_linux(const efi::Image& self, const KernelStart& kernel,
                     std::span<const Bytes> initrd_parts);

}  // namespace keelson::stub
