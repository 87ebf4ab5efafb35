// SPDX-License-Identifier: MIT
//
// Owns stable sorting without heap and without recursion: a bottom-up merge sort over indices.
// std::stable_sort wants operator new; std::sort is not stable.
#pragma once

#include <cstdint>
#include <span>

#include "efi/base/page_list.h"

namespace keelson {

// Sorts `indices` by `less(a, b)`, n log n calls. `scratch` has the same length.
template <class Less>
void merge_sort(std::span<std::uint32_t> indices, std::span<std::uint32_t> scratch, Less less) {
  const std::size_t count = indices.size();
  for (std::size_t width = 1; width < count; width *= 2) {
    for (std::size_t start = 0; start < count; start += 2 * width) {
      const std::size_t middle = start + width < count ? start + width : count;
      const std::size_t end = middle + width < count ? middle + width : count;
      std::size_t left = start, right = middle;
      for (std::size_t to = start; to < end; ++to) {
        // The right one only if it is strictly smaller: that keeps the order of equals.
        const bool take_right =
            left == middle || (right < end && less(indices[right], indices[left]));
        scratch[to] = take_right ? indices[right++] : indices[left++];
      }
    }
    for (std::size_t i = 0; i < count; ++i) indices[i] = scratch[i];
  }
}

// The indices 0 to count-1 in the order of `less`. Error: out_of_memory.
template <class Less>
Result<PageList<std::uint32_t>> sorted_indices(std::size_t count, Less less) {
  PageList<std::uint32_t> indices, scratch;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(indices.push(static_cast<std::uint32_t>(i)));
    TRY(scratch.push(0));
  }
  merge_sort(indices.items(), scratch.items(), less);
  return indices;
}

}  // namespace keelson
