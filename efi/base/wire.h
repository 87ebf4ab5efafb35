// SPDX-License-Identifier: MIT
//
// Owns reading and writing of integers and structs as they lie on a disk or in a table:
// Le<T> and Be<T> (alignment 1), load, Writer. Wire structs are made of these, size-asserted and
// copied out once; nothing is ever read through a cast pointer.
#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "efi/base/bytes.h"

namespace keelson {

template <class T, std::endian Order>
class Wire {
  static_assert(std::is_integral_v<T>);
  using Unsigned = std::make_unsigned_t<T>;

 public:
  constexpr Wire() = default;
  constexpr Wire(T value) { set(value); }
  constexpr operator T() const { return get(); }

  constexpr T get() const {
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      const std::size_t shift = 8 * (Order == std::endian::little ? i : sizeof(T) - 1 - i);
      value = static_cast<Unsigned>(value | (static_cast<Unsigned>(bytes_[i]) << shift));
    }
    return static_cast<T>(value);
  }
  constexpr void set(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      const std::size_t shift = 8 * (Order == std::endian::little ? i : sizeof(T) - 1 - i);
      bytes_[i] = static_cast<unsigned char>(static_cast<Unsigned>(value) >> shift);
    }
  }

 private:
  unsigned char bytes_[sizeof(T)] = {};
};
template <class T>
using Le = Wire<T, std::endian::little>;
template <class T>
using Be = Wire<T, std::endian::big>;
static_assert(sizeof(Le<std::uint64_t>) == 8 && alignof(Le<std::uint64_t>) == 1);

// A struct of wire fields copied out of `whole` at byte `at`. Error: truncated, naming `what`.
template <class T>
Result<T> load(Bytes whole, std::uint64_t at, std::string_view what) {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) == 1);
  const auto part = TRY(slice(whole, at, sizeof(T), what));
  T value;
  __builtin_memcpy(&value, part.data(), sizeof(T));
  return value;
}

// The bytes of a wire struct, as they are written.
template <class T>
Bytes bytes_of_struct(const T& value) {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) == 1);
  return std::as_bytes(std::span(&value, 1));
}

// Appends to a caller's buffer. Past the end nothing is written; `done` then answers
// out_of_memory, so a sequence of appends is checked once.
class Writer {
 public:
  explicit constexpr Writer(MutableBytes buffer) : buffer_(buffer) {}
  Writer& append(Bytes bytes) {
    if (bytes.size() > buffer_.size() - used_ || overflow_) {
      overflow_ = true;
      return *this;
    }
    if (!bytes.empty()) __builtin_memcpy(buffer_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
    return *this;
  }
  template <class T>
  Writer& append_struct(const T& value) {
    return append(bytes_of_struct(value));
  }
  Writer& append_zeros(std::size_t count) {
    if (count > buffer_.size() - used_ || overflow_) {
      overflow_ = true;
      return *this;
    }
    if (count != 0) __builtin_memset(buffer_.data() + used_, 0, count);
    used_ += count;
    return *this;
  }
  std::size_t size() const { return used_; }
  Result<Bytes> done() const {
    if (overflow_) return fail(Errc::out_of_memory, "buffer too small for what is written", used_);
    return Bytes(buffer_.first(used_));
  }

 private:
  MutableBytes buffer_;
  std::size_t used_ = 0;
  bool overflow_ = false;
};

}  // namespace keelson
