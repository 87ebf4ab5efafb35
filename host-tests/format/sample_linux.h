// SPDX-License-Identifier: MIT
//
// Owns small x86 kernels with a setup header for tests (Linux, Documentation/arch/x86/boot.rst),
// made byte by byte. The PE header lies behind the setup header, as in real ones.
#pragma once

#include "host-tests/format/sample_pe.h"

namespace keelson::sample {

struct LinuxSetup {
  std::uint8_t setup_sects = 1;
  std::uint16_t boot_flag = 0xaa55;
  std::uint8_t header_displacement = 0x66;  // ends at 0x268
  std::string magic = "HdrS";
  std::uint16_t version = 0x20d;
  std::uint32_t kernel_alignment = 0x1000;
  std::uint8_t relocatable = 1;
  std::uint16_t xloadflags = 1 << 3;  // handover for 64 bits
  std::uint32_t cmdline_size = 2047;
  std::uint32_t init_size = 0x8000;
  std::uint32_t handover_offset = 0x10;
};

// Over the bytes of a file that keeps 0x1f1 to 0x290 free.
inline void put_setup(Buffer& file, const LinuxSetup& setup) {
  put(file, 0x1f1, Le<std::uint8_t>(setup.setup_sects));
  put(file, 0x1fe, Le<std::uint16_t>(setup.boot_flag));
  put(file, 0x201, Le<std::uint8_t>(setup.header_displacement));
  for (std::size_t i = 0; i < setup.magic.size(); ++i)
    put(file, 0x202 + i, Le<std::uint8_t>(static_cast<std::uint8_t>(setup.magic[i])));
  put(file, 0x206, Le<std::uint16_t>(setup.version));
  put(file, 0x230, Le<std::uint32_t>(setup.kernel_alignment));
  put(file, 0x234, Le<std::uint8_t>(setup.relocatable));
  put(file, 0x236, Le<std::uint16_t>(setup.xloadflags));
  put(file, 0x238, Le<std::uint32_t>(setup.cmdline_size));
  put(file, 0x260, Le<std::uint32_t>(setup.init_size));
  put(file, 0x264, Le<std::uint32_t>(setup.handover_offset));
}

// A kernel whose image version is 0. Its handover entry for 64 bits lies at 0x400 + 0x200 + 0x10,
// in .text of the file; `code` is put there.
inline Buffer old_kernel(const LinuxSetup& setup = {}, std::string_view code = {}) {
  Pe kernel = kernel_pe();
  kernel.major_image_version = 0;
  kernel.e_lfanew = 0x300;
  kernel.size_of_headers = 0x600;
  kernel.sections.erase(kernel.sections.begin());
  kernel.entry_point = 0x1010;
  Buffer file = make(kernel);
  put_setup(file, setup);
  std::ranges::copy(std::as_bytes(std::span(code)), file.begin() + 0x610);
  return file;
}

}  // namespace keelson::sample
