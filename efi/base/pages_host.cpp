// SPDX-License-Identifier: MIT
//
// The two page functions for host programs. Programs that run on UEFI, real or simulated, link
// efi/firmware/pages.cpp instead.
#include <cstdlib>

#include "efi/base/pages.h"

namespace keelson {

std::byte* allocate_pages(std::uint64_t count, MemoryKind /*kind*/, MemoryLimit /*limit*/) {
  const auto size = checked_multiply(count, page_size);
  if (!size) return nullptr;
  return static_cast<std::byte*>(std::aligned_alloc(page_size, static_cast<std::size_t>(*size)));
}

void free_pages(std::byte* at, std::uint64_t /*count*/) { std::free(at); }

}  // namespace keelson
