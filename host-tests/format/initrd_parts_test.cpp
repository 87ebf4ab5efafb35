// SPDX-License-Identifier: MIT
//
// How parts of an initrd become one (efi/format/initrd_parts.h).
#include "efi/format/initrd_parts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keelson {
namespace {

using initrd_parts::LastPart;

TEST(InitrdParts, ArePaddedToFourBytes) {
  using Texts = std::vector<std::string_view>;
  constexpr std::string_view z3("\0\0\0", 3);
  struct Row {
    Texts parts;
    std::string padded, as_it_is;
    const char* why;
  };
  const Row rows[] = {
      {{}, "", "", "nothing"},
      {{"", ""}, "", "", "only empty parts"},
      {{"a"}, "a", "a", "a single part stays as it is"},
      {{"", "abcde", ""}, "abcde", "abcde", "the same among empty ones"},
      {{"a", "b"},
       "a" + std::string(z3) + "b" + std::string(z3),
       "a" + std::string(z3) + "b",
       "the last one counts or not"},
      {{"abcd", "", "efgh"}, "abcdefgh", "abcdefgh", "nothing to pad"},
      {{"abc", "defgh", "ij"},
       "abc" + std::string(1, '\0') + "defgh" + std::string(z3) + "ij" + std::string(2, '\0'),
       "abc" + std::string(1, '\0') + "defgh" + std::string(z3) + "ij",
       "each on its own"},
  };
  for (const Row& row : rows) {
    std::vector<Bytes> parts;
    for (const std::string_view text : row.parts) parts.push_back(bytes_of(text));
    for (const LastPart last : {LastPart::padded, LastPart::as_it_is}) {
      const std::string& expected = last == LastPart::padded ? row.padded : row.as_it_is;
      const auto size = initrd_parts::joined_size(parts, last);
      ASSERT_TRUE(size.has_value());
      EXPECT_EQ(*size, expected.size()) << row.why;
      std::vector<std::byte> to(*size, std::byte{0xaf});
      initrd_parts::join(parts, to);
      EXPECT_EQ(text_of(to), expected) << row.why;
    }
  }
}

TEST(InitrdParts, ASizeThatNoMachineHoldsIsAnError) {
  // Views that are never read.
  const auto* const somewhere = reinterpret_cast<const std::byte*>(std::uintptr_t{0x1000});
  constexpr std::size_t half = std::size_t{1} << 63;
  const Bytes parts[] = {{somewhere, half - 1}, {somewhere, half - 1}, {somewhere, 8}};
  for (const LastPart last : {LastPart::padded, LastPart::as_it_is}) {
    const auto size = initrd_parts::joined_size(parts, last);
    ASSERT_FALSE(size.has_value());
    EXPECT_EQ(size.error().code, Errc::out_of_memory) << "stub.md 10: EFI_OUT_OF_RESOURCES";
  }
  // The last one fits, but not its padding.
  const Bytes odd[] = {{somewhere, half - 4}, {somewhere, half + 2}};
  EXPECT_FALSE(initrd_parts::joined_size(odd, LastPart::padded).has_value());
  EXPECT_TRUE(initrd_parts::joined_size(odd, LastPart::as_it_is).has_value());
}

}  // namespace
}  // namespace keelson
