// SPDX-License-Identifier: MIT
//
// Owns byte views and sizes: Bytes, slice, the size literals, checked arithmetic.
// Every access to untrusted bytes goes through slice (bounds) or wire.h (fields).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "efi/base/error.h"

namespace keelson {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// Sizes in bytes; `where` of an error from slice is `at`. Error: truncated.
constexpr Result<Bytes> slice(Bytes whole, std::uint64_t at, std::uint64_t size,
                              std::string_view what) {
  if (at > whole.size() || size > whole.size() - at)  // cannot overflow
    return fail(Errc::truncated, what, at);
  return whole.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
}

// The bytes of a text, without a terminator. The view borrows from `text`.
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
// UTF-16LE code units as they lie in memory (little-endian machines only), without a terminator.
inline Bytes bytes_of(std::u16string_view text) { return std::as_bytes(std::span(text)); }
// Any text-like view of bytes; nothing is validated, NULs are kept.
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}
constexpr std::optional<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}
// `value` rounded up to `alignment` (a power of two); nullopt on overflow.
constexpr std::optional<std::uint64_t> align_up(std::uint64_t value, std::uint64_t alignment) {
  const auto sum = checked_add(value, alignment - 1);
  if (!sum) return std::nullopt;
  return *sum & ~(alignment - 1);
}

constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }

constexpr std::uint64_t page_size = 4_KiB;
constexpr std::uint64_t pages_for(std::uint64_t size) {
  return size / page_size + (size % page_size != 0 ? 1 : 0);
}

}  // namespace keelson
