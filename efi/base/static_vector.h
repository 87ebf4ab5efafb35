// SPDX-License-Identifier: MIT
//
// Owns the short list with a fixed capacity. A full list is an error, never an assertion.
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "efi/base/error.h"

namespace keelson {

template <class T, std::size_t Capacity>
class StaticVector {
 public:
  constexpr StaticVector() = default;
  // Error: out_of_memory when the list is full.
  constexpr Result<> push(T value) {
    if (size_ == Capacity) return fail(Errc::out_of_memory, "list is full", Capacity);
    items_[size_++] = std::move(value);
    return {};
  }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  static constexpr std::size_t capacity() { return Capacity; }
  constexpr T* begin() { return items_.data(); }
  constexpr T* end() { return items_.data() + size_; }
  constexpr const T* begin() const { return items_.data(); }
  constexpr const T* end() const { return items_.data() + size_; }
  constexpr T& operator[](std::size_t i) { return items_[i]; }  // libc++ hardening checks Capacity
  constexpr const T& operator[](std::size_t i) const { return items_[i]; }
  constexpr T& back() { return items_[size_ - 1]; }
  constexpr void clear() {
    while (size_ != 0) items_[--size_] = T{};
  }

 private:
  std::array<T, Capacity> items_{};
  std::size_t size_ = 0;
};

}  // namespace keelson
