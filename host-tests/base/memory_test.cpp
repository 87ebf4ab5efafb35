// SPDX-License-Identifier: MIT
//
// Pages, growing lists, arenas and fixed lists (efi/base).
#include <gtest/gtest.h>

#include <memory>

#include "efi/base/page_list.h"
#include "efi/base/static_vector.h"

namespace keelson {
namespace {

TEST(Pages, AreZeroAlignedAndKeepTheirSize) {
  const auto pages = Pages::allocate({.size = 5000, .alignment = 2_MiB});
  ASSERT_TRUE(pages.has_value());
  EXPECT_EQ(pages->size(), 5000u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages->data()) % 2_MiB, 0u);
  for (const std::byte b : pages->bytes()) ASSERT_EQ(b, std::byte{0});
}

TEST(Pages, OnlyTheTailIsClearedForACallerWhoFills) {
  const auto pages = Pages::allocate({.size = 5000, .fill = Fill::tail_zero});
  ASSERT_TRUE(pages.has_value());
  for (std::size_t i = 5000; i < 8192; ++i) ASSERT_EQ(pages->data()[i], std::byte{0});
}

TEST(Pages, MoveLeavesNothingBehind) {
  auto first = Pages::allocate(1);
  ASSERT_TRUE(first.has_value());
  Pages second = std::move(*first);
  EXPECT_TRUE(first->empty());
  EXPECT_EQ(second.size(), 1u);
  second = Pages{};
  EXPECT_TRUE(second.empty());
}

TEST(Pages, ImpossibleSizeIsAnError) {
  EXPECT_EQ(Pages::allocate(UINT64_MAX).error().code, Errc::out_of_memory);
  EXPECT_EQ(Pages::allocate({.size = UINT64_MAX, .alignment = 1_GiB}).error().code,
            Errc::out_of_memory);
}

TEST(PageList, KeepsMoveOnlyElementsWhileGrowing) {
  PageList<std::unique_ptr<int>> list;
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(list.push(std::make_unique<int>(i)).has_value());
  ASSERT_EQ(list.size(), 2000u);
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(*list[static_cast<std::size_t>(i)], i);
  PageList<std::unique_ptr<int>> moved = std::move(list);
  EXPECT_EQ(moved.size(), 2000u);
  EXPECT_TRUE(list.empty());
}

struct Large {
  std::array<char, 9000> bytes{};
};
TEST(PageList, HoldsElementsLargerThanAPage) {
  PageList<Large> list;
  for (int i = 0; i < 5; ++i) {
    Large item;
    item.bytes.back() = static_cast<char>(i);
    ASSERT_TRUE(list.push(item).has_value());
  }
  EXPECT_EQ(list[4].bytes.back(), 4);
}

TEST(TextArena, TextsStayWhereTheyAre) {
  TextArena arena;
  const auto first = arena.keep(std::string_view("first"));
  ASSERT_TRUE(first.has_value());
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(arena.reserve(static_cast<std::size_t>(10_KiB + static_cast<std::uint64_t>(i))));
  ASSERT_TRUE(arena.reserve(static_cast<std::size_t>(1_MiB)).has_value());
  EXPECT_EQ(*first, "first");
  const auto wide = arena.keep(std::u16string_view(u"wide"));
  ASSERT_TRUE(wide.has_value());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wide->data()) % 2, 0u);
}

TEST(StaticVector, FullIsAnError) {
  StaticVector<int, 2> list;
  EXPECT_TRUE(list.push(1).has_value());
  EXPECT_TRUE(list.push(2).has_value());
  EXPECT_EQ(list.push(3).error().code, Errc::out_of_memory);
  EXPECT_EQ(list.size(), 2u);
  list.clear();
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace keelson
