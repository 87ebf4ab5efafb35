// SPDX-License-Identifier: MIT
//
// Owns the start of old x86 kernels by the handover protocol (stub.md 7.6): the kernel below 4 GiB
// with the room that it needs, its boot_params, its command line in 8-bit characters, its initrd in
// one block. The only start that joins the initrd in memory.
#pragma once

#include <span>

#include "efi/firmware/image.h"
#include "stub/kernel_start.h"

namespace keelson::stub {

// Returns only if the kernel gives up: load_error (as `firmware`), whatever it said; or why it
// could not be started: out_of_memory, and what linux_setup::Handover says.
Result<> start_by_handover(const efi::Image& self, const KernelStart& kernel,
                           std::span<const Bytes> initrd_parts);

}  // namespace keelson::stub
