// SPDX-License-Identifier: MIT
//
// Owns the decision how the kernel gets control, and whether it can be started at all (stub.md
// 7.1). Pure; carrying it out is start_linux.
#pragma once

#include "efi/format/linux_setup.h"
#include "efi/format/pe.h"

namespace keelson::stub {

// How the kernel gets control.
enum class Start : std::uint8_t {
  in_memory,   // copied into place by us: it was verified as part of our own image
  load_image,  // through LoadImage, where shim verifies it once more
  handover,    // x86's protocol for kernels that cannot take command line and initrd from us
};

struct KernelFacts {
  bool secure_boot = true;
  bool shim_verifies = false;  // efi::Shim::verifies()
  // The kernel lies beside our image and a section of ours holds its hash (design decision 5):
  // shim would refuse it.
  bool pinned = false;
  pe::Machine machine = pe::native_machine;  // of the firmware
};

struct KernelStart {
  Start how = Start::in_memory;
  Bytes file;                        // content of .linux, or the pinned kernel
  pe::Kernel kernel;                 // not for the handover
  linux_setup::Handover handover;    // only for the handover
  std::u16string_view command_line;  // followed by a NUL; empty: the kernel gets no load options
};

// Without the command line. Errors: not_found (`file` is empty); unsupported (too old or for
// another machine, and no handover); those of pe::Kernel::parse for a kernel that is not sound.
Result<KernelStart> plan_kernel_start(Bytes file, const KernelFacts& facts);

}  // namespace keelson::stub
