// SPDX-License-Identifier: MIT
//
// Owns large memory: Pages, a move-only block of whole pages. Rests on two functions that are
// implemented once on the UEFI boot services (efi/firmware/pages.cpp) and once for the host
// (pages_host.cpp), so that pure code can use it too. There is no other heap.
#pragma once

#include <utility>

#include "efi/base/bytes.h"

namespace keelson {

// What the memory is for; decides its EFI_MEMORY_TYPE in firmware.
enum class MemoryKind : std::uint8_t { data, code, acpi_reclaim };
// Where it may lie. `below_4g_preferred` falls back to anywhere; below_640k is what old x86 kernels
// need.
enum class MemoryLimit : std::uint8_t { anywhere, below_4g, below_4g_preferred, below_640k };
// What the block holds at first. `tail_zero`: only what lies past its size is cleared, because the
// caller overwrites the rest at once (a file that is read).
enum class Fill : std::uint8_t { zero, tail_zero };

struct PageRequest {
  std::uint64_t size = 0;  // bytes; rounded up to whole pages; 0 gives an empty block
  MemoryKind kind = MemoryKind::data;
  MemoryLimit limit = MemoryLimit::anywhere;
  std::uint64_t alignment = page_size;  // power of two, at least page_size
  Fill fill = Fill::zero;
};

// The two functions. `allocate_pages` answers nullptr when there is no memory; the pages are NOT
// cleared. `count` is in pages. `limit` is not below_4g_preferred here.
std::byte* allocate_pages(std::uint64_t count, MemoryKind kind, MemoryLimit limit);
void free_pages(std::byte* at, std::uint64_t count);

class Pages {
 public:
  Pages() = default;
  // Error: out_of_memory. Bytes past `size` up to the page end are zero; all others too, unless
  // `fill` says that the caller overwrites them.
  static Result<Pages> allocate(const PageRequest& request);
  static Result<Pages> allocate(std::uint64_t size) { return allocate(PageRequest{.size = size}); }
  static Result<Pages> copy_of(Bytes bytes);

  Pages(Pages&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)),
        page_count_(std::exchange(other.page_count_, 0)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    if (this != &other) {
      release();
      base_ = std::exchange(other.base_, nullptr);
      page_count_ = std::exchange(other.page_count_, 0);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~Pages() { release(); }

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Bytes bytes() const { return {data_, static_cast<std::size_t>(size_)}; }
  MutableBytes mutable_bytes() { return {data_, static_cast<std::size_t>(size_)}; }
  // Makes the block's visible size smaller (a file that was shorter); pages are kept.
  void shrink(std::uint64_t size) {
    if (size < size_) size_ = size;
  }
  void release();
  // Forgets the block without freeing it: nobody else may be given these pages.
  void abandon() {
    base_ = nullptr;
    release();
  }

 private:
  std::byte* base_ = nullptr;  // as allocated, before alignment
  std::uint64_t page_count_ = 0;
  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace keelson
