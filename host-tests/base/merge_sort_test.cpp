// SPDX-License-Identifier: MIT
//
// Stable sorting of indices (efi/base/merge_sort.h) against the standard library's.
#include "efi/base/merge_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

namespace keelson {
namespace {

TEST(MergeSort, SortsStablyAtEveryLength) {
  std::mt19937 random(1);
  for (std::uint32_t count = 0; count < 130; ++count) {
    std::vector<int> keys(count);
    for (int& key : keys) key = static_cast<int>(random() % 10);
    const auto less = [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; };
    std::vector<std::uint32_t> expected(count);
    std::iota(expected.begin(), expected.end(), 0u);
    std::stable_sort(expected.begin(), expected.end(), less);
    const auto sorted = sorted_indices(count, less);
    ASSERT_TRUE(sorted.has_value());
    EXPECT_TRUE(std::ranges::equal(sorted->items(), expected)) << count;
  }
}

TEST(MergeSort, ComparesNLogNTimes) {
  std::size_t calls = 0;
  const auto sorted = sorted_indices(2000, [&](std::uint32_t a, std::uint32_t b) {
    ++calls;
    return (a * 7919u) % 2000u < (b * 7919u) % 2000u;
  });
  ASSERT_TRUE(sorted.has_value());
  EXPECT_LE(calls, 2000u * 11u);
}

}  // namespace
}  // namespace keelson
