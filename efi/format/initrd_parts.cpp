// SPDX-License-Identifier: MIT
//
// Sizes and joining (initrd_parts.h).
#include "efi/format/initrd_parts.h"

#include <algorithm>

namespace keelson::initrd_parts {
namespace {

constexpr std::uint64_t alignment = 4;

}  // namespace

Result<std::uint64_t> joined_size(std::span<const Bytes> parts, LastPart last_part) {
  std::uint64_t size = 0;
  std::size_t count = 0;
  for (const Bytes part : parts) {
    if (part.empty()) continue;
    const auto start = align_up(size, alignment);
    const auto end = start ? checked_add(*start, part.size()) : std::nullopt;
    if (!end) return fail(Errc::out_of_memory, "initrd too large");
    size = *end;
    ++count;
  }
  if (last_part == LastPart::as_it_is || count < 2) return size;
  const auto padded = align_up(size, alignment);
  if (!padded) return fail(Errc::out_of_memory, "initrd too large");
  return *padded;
}

void join(std::span<const Bytes> parts, MutableBytes to) {
  std::size_t used = 0;
  const auto pad_to = [&](std::size_t end) {
    end = std::min(end, to.size());
    if (end <= used) return;
    __builtin_memset(to.data() + used, 0, end - used);
    used = end;
  };
  for (const Bytes part : parts) {
    if (part.empty()) continue;
    pad_to((used + alignment - 1) / alignment * alignment);
    const std::size_t size = std::min(part.size(), to.size() - used);
    if (size == 0) return;
    __builtin_memcpy(to.data() + used, part.data(), size);
    used += size;
  }
  pad_to(to.size());
}

}  // namespace keelson::initrd_parts
