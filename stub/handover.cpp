// SPDX-License-Identifier: MIT
//
// Starts a kernel by the handover protocol; see handover.h.
#include "stub/handover.h"

#include "efi/firmware/cpu.h"
#include "efi/format/initrd_parts.h"

namespace keelson::stub {
namespace {

using linux_setup::Handover;

std::uint64_t address_of(const Pages& pages) {
  return reinterpret_cast<std::uintptr_t>(pages.data());
}

// The file as it is: the kernel's own layout, not that of its PE sections. What it needs behind it
// is reserved and zero.
Result<Pages> place_kernel(const KernelStart& kernel) {
  Pages pages = TRY(Pages::allocate({.size = kernel.handover.memory_size(),
                                     .kind = MemoryKind::code,
                                     .limit = MemoryLimit::below_4g}));
  __builtin_memcpy(pages.data(), kernel.file.data(), kernel.file.size());
  efi::cpu::synchronize_code(pages.data(), kernel.file.size());
  return pages;
}

Result<Pages> place_command_line(std::u16string_view line, const Handover& handover) {
  if (line.empty()) return Pages();
  Pages pages = TRY(Pages::allocate(
      {.size = linux_setup::command_line_size(line, handover.command_line_max()) + 1,
       .limit = handover.reaches_above_4g() ? MemoryLimit::below_4g_preferred
                                            : MemoryLimit::below_640k}));
  linux_setup::write_command_line(line, pages.mutable_bytes());
  return pages;
}

Result<Pages> place_initrd(std::span<const Bytes> parts, const Handover& handover) {
  const std::uint64_t size = TRY(initrd_parts::joined_size(parts, initrd_parts::LastPart::padded));
  Pages pages =
      TRY(Pages::allocate({.size = size,
                           .limit = handover.reaches_above_4g() ? MemoryLimit::below_4g_preferred
                                                                : MemoryLimit::below_4g,
                           .fill = Fill::tail_zero}));
  initrd_parts::join(parts, pages.mutable_bytes());
  return pages;
}

}  // namespace

Result<> start_by_handover(const efi::Image& self, const KernelStart& kernel,
                           std::span<const Bytes> initrd_parts) {
  const Handover& handover = kernel.handover;
  Pages placed = TRY(place_kernel(kernel));
  const Pages line = TRY(place_command_line(kernel.command_line, handover));
  const Pages initrd = TRY(place_initrd(initrd_parts, handover));
  Pages boot_params =
      TRY(Pages::allocate({.size = linux_setup::boot_params_size, .limit = MemoryLimit::below_4g}));
  TRY(handover.write_boot_params(kernel.file,
                                 {.kernel = address_of(placed),
                                  .command_line = address_of(line),
                                  .initrd = address_of(initrd),
                                  .initrd_size = initrd.size()},
                                 boot_params.mutable_bytes()));
  efi::call_handover(placed.data() + handover.entry_offset(), self.handle(), boot_params.data());
  return efi::check(efi::status::load_error, "the kernel gave control back");
}

}  // namespace keelson::stub
