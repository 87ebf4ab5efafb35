// SPDX-License-Identifier: MIT
//
// The order of versions (efi/format/version_order.h): 138 known relations, 66 of them from one
// ascending chain, and that the order is one.
#include "efi/format/version_order.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "host-tests/utf16.h"

namespace keelson {
namespace {

constexpr auto older = std::weak_ordering::less;
constexpr auto newer = std::weak_ordering::greater;
constexpr auto same = std::weak_ordering::equivalent;

constexpr std::weak_ordering reversed(std::weak_ordering order) { return 0 <=> order; }

// Both directions, as UTF-8 and as UTF-16.
void expect_order(std::string_view a, std::weak_ordering order, std::string_view b) {
  EXPECT_TRUE(compare_versions(a, b) == order) << a << " and " << b;
  EXPECT_TRUE(compare_versions(b, a) == reversed(order)) << b << " and " << a;
  EXPECT_TRUE(compare_versions(utf16(a), utf16(b)) == order) << a << " and " << b;
}

TEST(VersionOrder, KnownRelations) {
  const struct {
    std::string_view a;
    std::weak_ordering order;
    std::string_view b;
  } rows[] = {
      {"", older, "0"},
      {"", newer, "~"},
      {"", newer, "~1"},
      {"~1", older, "~2"},
      {"0", newer, "~"},
      {"_", same, ""},
      {"0", same, "0_"},
      {"1+", same, "1"},
      {"_1", same, "1"},
      {"00", same, "0"},
      {"0001", same, "1"},
      {"0001", older, "002"},
      {"002", older, "12"},
      {"9", older, "10"},
      {"122", older, "122.9"},
      {"0.", newer, "0"},
      {"0.0", newer, "0"},
      {"1-", newer, "1"},
      {"2.0", older, "2.0.1"},
      {"2.0.1", older, "2.0.1a"},
      {"5.5p1", older, "5.5p10"},
      {"10xyz", newer, "10.1xyz"},
      {"xyz10", older, "xyz10.1"},
      {"xyz.4", older, "2"},
      {"B", older, "a"},
      {"ab", older, "abb"},
      {"abb", older, "abc"},
      {"abc", older, "0001"},
      {"10.0001", same, "10.1"},
      {"10.0001", older, "10.0039"},
      {"4.999.9", older, "5.0"},
      {"2.0", older, "2_0"},
      {"6.0", older, "6.0.rc1"},
      {"6.8.0-rc1", newer, "6.8.0"},
      {"6.8.0~rc1", older, "6.8.0"},
      {"1.0~rc1", older, "1.0~rc2"},
      {"1.0~rc1~git1", older, "1.0~rc1"},
      {"1.0", older, "1.0^"},
      {"1.0^git1", older, "1.01"},
      {"1.0^20160101", older, "1.0.1"},
      {"1.0^a^git1", newer, "1.0^a"},
      {"1.0^git1~p", older, "1.0^git1"},
      {"1.0~rc1^g", newer, "1.0~rc1"},
      {"123a", newer, "123.a"},
      {"123.a", newer, "123"},
      {"123.", newer, "123"},
      {"123.0", newer, "123.a"},
      {"123..0", older, "123.0"},
      {"12_3", older, "123"},
      {"12_3", newer, "12.3"},
      {"1_2_3", newer, "1.3.3"},
      {"1_", older, "1.2"},
      {"11α", same, "11β"},
      {"1٠١", same, "1"},
      {"~~1", older, "~1"},
      {"a~1", older, "a"},
      {"-1", older, "1"},
      {"^1", older, "1"},
      {"1-^1", older, "1-1"},
      {"1^.1", older, "1^1"},
      {"1.-1", older, "1.0"},
      {"123-a.1", older, "123-a1"},
      {"123-a1", older, "123-3"},
      {"123^patch1", older, "123^1"},
      {"1:2-3", older, "2-1"},
      {"5.9.0-100", older, "5.10.0-8"},
      {"foo.efi", newer, "foo-1.efi"},
      {"foo.efi", older, "foo1.efi"},
      {"6.9.1-1.fc40", older, "6.10.0-1.fc40"},
      {"99999999999999999999998", older, "99999999999999999999999"},
      {"5.11.0-0.rc5.2021git76c0.137.fc34", older, "5.11.0-1.fc34"},
      {"123_aa2-67.89", same, "123aa+2-67.89"},
  };
  for (const auto& row : rows) expect_order(row.a, row.order, row.b);

  constexpr std::string_view chain[] = {"122.1",   "123~rc1-1", "123",     "123-a",
                                        "123-a.1", "123-1",     "123-1.1", "123^post1",
                                        "123.a-1", "123.1-1",   "123a-1",  "124-1"};
  std::size_t relations = std::size(rows);
  for (std::size_t i = 0; i < std::size(chain); ++i)
    for (std::size_t j = i + 1; j < std::size(chain); ++j, ++relations)
      expect_order(chain[i], older, chain[j]);
  EXPECT_EQ(relations, 138u);
}

TEST(VersionOrder, IsStrictWeak) {
  std::mt19937 random(7);
  constexpr std::string_view alphabet = "01a9B~-^._";
  std::vector<std::string> versions;
  for (int i = 0; i < 90; ++i) {
    std::string text;
    for (std::size_t length = random() % 6; length > 0; --length)
      text += alphabet[random() % alphabet.size()];
    versions.push_back(text);
  }
  for (const auto& a : versions) {
    EXPECT_TRUE(compare_versions(a, a) == 0) << a;
    for (const auto& b : versions) {
      const auto ab = compare_versions(a, b);
      EXPECT_TRUE(compare_versions(b, a) == reversed(ab)) << a << " and " << b;
      if (ab > 0) continue;
      for (const auto& c : versions) {
        const auto bc = compare_versions(b, c);
        if (bc > 0) continue;
        const auto expected = ab == 0 && bc == 0 ? same : older;
        ASSERT_TRUE(compare_versions(a, c) == expected) << a << ", " << b << ", " << c;
      }
    }
  }
}

TEST(VersionOrder, LongTexts) {
  const std::string digits(1 << 20, '1');
  EXPECT_TRUE(compare_versions(digits, digits + "0") < 0);
  EXPECT_TRUE(compare_versions(std::string(1 << 20, '_'), "") == 0);
  EXPECT_TRUE(compare_versions(std::string(1 << 20, '0') + "1", "1") == 0);
}

}  // namespace
}  // namespace keelson
