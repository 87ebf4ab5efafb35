// SPDX-License-Identifier: MIT
//
// Owns the setup header of x86 Linux kernels and the boot_params page (Linux, Documentation/arch/
// x86/boot.rst and zero-page.rst), as far as the EFI handover protocol needs them (stub.md 7.6).
// It only reads and writes bytes, so it compiles for every machine; the jump is CPU-specific
// (efi/firmware/enter_image.h).
#pragma once

#include <string_view>

#include "efi/base/wire.h"
#include "efi/format/pe.h"

namespace keelson::linux_setup {

constexpr std::uint64_t boot_params_size = 4096;

// What one start puts into boot_params. Addresses are physical; no initrd: size 0.
struct Placement {
  std::uint64_t kernel = 0;  // of the file's first byte; below 4 GiB
  std::uint64_t command_line = 0;
  std::uint64_t initrd = 0;
  std::uint64_t initrd_size = 0;
};

// A kernel that can be started through the handover protocol. Values only: no view of the file.
class Handover {
 public:
  // `file` is the content of .linux, `machine` that of this firmware. Errors: not_found (no setup
  // header); unsupported (boot protocol before 2.11, not relocatable, no entry for `machine`);
  // truncated and malformed (sizes or entry point outside the file).
  static Result<Handover> parse(Bytes file, pe::Machine machine);

  // From the file's first byte to the entry point: behind the real-mode code; for a 64-bit machine
  // 512 bytes more.
  std::uint64_t entry_offset() const { return entry_offset_; }
  // What must be free, from where the file's first byte is placed: its image in memory, and what
  // the kernel needs before it knows the memory map.
  std::uint64_t memory_size() const { return memory_size_; }
  // Command line and initrd may lie above 4 GiB.
  bool reaches_above_4g() const { return reaches_above_4g_; }
  // The longest command line that the kernel takes, without NUL.
  std::uint32_t command_line_max() const { return command_line_max_; }

  // Fills `page` (boot_params_size bytes): the setup header of `file`, which was parsed, and what
  // the boot loader has to say. Errors: unsupported (an address that the kernel cannot reach),
  // out_of_memory (`page` has another size).
  Result<> write_boot_params(Bytes file, const Placement& placement, MutableBytes page) const;

 private:
  std::uint64_t entry_offset_ = 0;
  std::uint64_t memory_size_ = 0;
  std::uint32_t header_end_ = 0;
  std::uint32_t real_mode_size_ = 0;
  std::uint32_t command_line_max_ = 0;
  bool reaches_above_4g_ = false;
};

// The size of `line` as the kernel reads it: 8-bit, cut to `max`, without its NUL.
std::uint64_t command_line_size(std::u16string_view line, std::uint32_t max);
// Writes it, with a blank for what is not ASCII, and a NUL. `to` has command_line_size() + 1 bytes.
void write_command_line(std::u16string_view line, MutableBytes to);

}  // namespace keelson::linux_setup
