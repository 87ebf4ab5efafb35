// SPDX-License-Identifier: MIT
//
// Owns lists of unknown length: PageList, contiguous and grown by doubling its pages, and
// TextArena, where the texts of list elements live. `push` may move the elements: keep indices, not
// pointers, while a list still grows. Arena texts never move.
#pragma once

#include <memory>
#include <new>
#include <span>
#include <string_view>

#include "efi/base/pages.h"

namespace keelson {

template <class T>
class PageList {
 public:
  PageList() = default;
  PageList(PageList&& other) noexcept
      : pages_(std::move(other.pages_)), size_(std::exchange(other.size_, 0)) {}
  PageList& operator=(PageList&& other) noexcept {
    if (this != &other) {
      clear();
      pages_ = std::move(other.pages_);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~PageList() { clear(); }

  // Error: out_of_memory; the list is then as it was.
  Result<> push(T value) {
    if ((size_ + 1) * sizeof(T) > pages_.size()) {
      const std::uint64_t bigger = pages_.empty() ? page_size : pages_.size() * 2;
      Pages grown =
          TRY(Pages::allocate(bigger < sizeof(T) ? pages_for(sizeof(T)) * page_size : bigger));
      T* to = reinterpret_cast<T*>(grown.data());
      for (std::size_t i = 0; i < size_; ++i) {
        std::construct_at(to + i, std::move(begin()[i]));
        std::destroy_at(begin() + i);
      }
      pages_ = std::move(grown);
    }
    std::construct_at(begin() + size_, std::move(value));
    ++size_;
    return {};
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return reinterpret_cast<T*>(pages_.data()); }
  T* end() { return begin() + size_; }
  const T* begin() const { return reinterpret_cast<const T*>(pages_.data()); }
  const T* end() const { return begin() + size_; }
  std::span<T> items() { return {begin(), size_}; }
  std::span<const T> items() const { return {begin(), size_}; }
  T& operator[](std::size_t i) { return items()[i]; }
  const T& operator[](std::size_t i) const { return items()[i]; }
  void clear() {
    std::destroy(begin(), end());
    size_ = 0;
  }

 private:
  Pages pages_;
  std::size_t size_ = 0;
};

// Keeps texts and bytes for as long as it lives. Freed as a whole.
class TextArena {
 public:
  TextArena() = default;
  TextArena(TextArena&&) = default;
  TextArena& operator=(TextArena&&) = default;

  // Room for `size` bytes at `alignment` (1, 2, 4 or 8). Error: out_of_memory.
  Result<MutableBytes> reserve(std::size_t size, std::size_t alignment = 1) {
    const std::size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (blocks_.empty() || start > blocks_[blocks_.size() - 1].size() ||
        size > blocks_[blocks_.size() - 1].size() - start) {
      const std::uint64_t block = blocks_.empty() ? page_size : largest_block;
      const std::uint64_t wanted = size > block ? size : block;
      TRY(blocks_.push(TRY(Pages::allocate(wanted))));
      used_ = size;
      return blocks_[blocks_.size() - 1].mutable_bytes().first(size);
    }
    used_ = start + size;
    return blocks_[blocks_.size() - 1].mutable_bytes().subspan(start, size);
  }
  Result<Bytes> keep(Bytes bytes) {
    const MutableBytes room = TRY(reserve(bytes.size()));
    if (!bytes.empty()) __builtin_memcpy(room.data(), bytes.data(), bytes.size());
    return Bytes(room);
  }
  Result<std::string_view> keep(std::string_view text) {
    return text_of(TRY(keep(bytes_of(text))));
  }
  // Room for `count` UTF-16 code units.
  Result<std::span<char16_t>> reserve_utf16(std::size_t count) {
    const MutableBytes room = TRY(reserve(count * 2, 2));
    return std::span(reinterpret_cast<char16_t*>(room.data()), count);
  }
  // The kept text is followed by a NUL outside the view, so that it can be given to firmware.
  Result<std::u16string_view> keep(std::u16string_view text) {
    const auto room = TRY(reserve_utf16(text.size() + 1));
    if (!text.empty()) __builtin_memcpy(room.data(), text.data(), text.size() * 2);
    room[text.size()] = 0;
    return std::u16string_view(room.data(), text.size());
  }

 private:
  // Most arenas hold a few short texts: clearing more would be most of what they cost.
  static constexpr std::uint64_t largest_block = 64_KiB;
  PageList<Pages> blocks_;
  std::size_t used_ = 0;
};

}  // namespace keelson
