// SPDX-License-Identifier: MIT
//
// Decides; see kernel_start.h.
#include "stub/kernel_start.h"

namespace keelson::stub {
namespace {

// Shim revokes kernels by SBAT, so it is asked where it is. Without shim our own signature is all
// there is, and it covers the kernel.
Start decide_start(const KernelFacts& facts) {
  return facts.secure_boot && facts.shim_verifies && !facts.pinned ? Start::load_image
                                                                   : Start::in_memory;
}

}  // namespace

Result<KernelStart> plan_kernel_start(Bytes file, const KernelFacts& facts) {
  if (file.empty()) return fail(Errc::not_found, "the image has no .linux section");
  KernelStart start;
  start.file = file;
  const auto kernel = pe::Kernel::parse(file, facts.machine);
  if (kernel.has_value()) {
    start.how = decide_start(facts);
    start.kernel = *kernel;
    return start;
  }
  if (kernel.error().code != Errc::unsupported) return fail(kernel.error());
  const auto handover = linux_setup::Handover::parse(file, facts.machine);
  // Where nothing speaks of a handover, the PE header says what is wrong.
  if (!handover.has_value())
    return fail(handover.error().code == Errc::not_found ? kernel.error() : handover.error());
  start.how = Start::handover;
  start.handover = *handover;
  return start;
}

}  // namespace keelson::stub
