// SPDX-License-Identifier: MIT
//
// Pages over the two page functions: alignment, clearing, limits.
#include "efi/base/pages.h"

namespace keelson {

Result<Pages> Pages::allocate(const PageRequest& request) {
  Pages pages;
  if (request.size == 0) return pages;
  // Aligning beyond a page costs room in front: allocate that much more, keep the whole block.
  const std::uint64_t slack = request.alignment > page_size ? request.alignment - page_size : 0;
  const auto total = checked_add(request.size, slack);
  if (!total) return fail(Errc::out_of_memory, "impossible allocation size", request.size);
  const std::uint64_t count = pages_for(*total);
  std::byte* base = nullptr;
  const bool prefers = request.limit == MemoryLimit::below_4g_preferred;
  base = allocate_pages(count, request.kind, prefers ? MemoryLimit::below_4g : request.limit);
  if (base == nullptr && prefers) base = allocate_pages(count, request.kind, MemoryLimit::anywhere);
  if (base == nullptr) return fail(Errc::out_of_memory, "no memory for pages", request.size);

  const auto address = reinterpret_cast<std::uintptr_t>(base);
  const std::uintptr_t aligned =
      (address + request.alignment - 1) & ~static_cast<std::uintptr_t>(request.alignment - 1);
  pages.base_ = base;
  pages.page_count_ = count;
  pages.data_ = base + (aligned - address);
  pages.size_ = request.size;
  if (request.fill == Fill::zero) {
    __builtin_memset(base, 0, static_cast<std::size_t>(count * page_size));
  } else {
    std::byte* const end = pages.data_ + request.size;
    __builtin_memset(end, 0, static_cast<std::size_t>(base + count * page_size - end));
  }
  return pages;
}

Result<Pages> Pages::copy_of(Bytes bytes) {
  Pages pages = TRY(allocate({.size = bytes.size(), .fill = Fill::tail_zero}));
  if (!bytes.empty()) __builtin_memcpy(pages.data(), bytes.data(), bytes.size());
  return pages;
}

void Pages::release() {
  if (base_ != nullptr) free_pages(base_, page_count_);
  base_ = nullptr;
  page_count_ = 0;
  data_ = nullptr;
  size_ = 0;
}

}  // namespace keelson
