// SPDX-License-Identifier: MIT
//
// Device trees (efi/format/device_tree.h): the board they are for, and the bad inputs of I-DTB.
#include "efi/format/device_tree.h"

#include <gtest/gtest.h>

#include <functional>

#include "efi/base/pages.h"
#include "host-tests/format/sample_device_tree.h"

namespace keelson {
namespace {

using namespace std::literals;
using sample::DeviceTree;

// Trees lie on a word; the bytes end where AddressSanitizer watches.
Result<std::string> board(const std::string& bytes) {
  std::vector<std::byte> copy(bytes.size());
  std::ranges::copy(bytes_of(bytes), copy.begin());
  const auto tree = device_tree::DeviceTree::parse(copy);
  if (!tree.has_value()) return fail(tree.error());
  const auto compatible = tree->compatible();
  if (!compatible.has_value()) return fail(compatible.error());
  return std::string(*compatible);
}

DeviceTree edited(const std::function<void(DeviceTree&)>& edit) {
  DeviceTree tree;
  tree.begin().property("model", "Acme Mk2\0"s).property("compatible", "acme,mk2\0acme,mk\0"s);
  tree.begin("cpus").end().end().token(9);
  edit(tree);
  return tree;
}

TEST(DeviceTree, NamesItsBoard) {
  struct Row {
    std::string bytes;
    std::string board;
    std::string_view reason;
  };
  const Row rows[] = {
      {edited([](DeviceTree&) {}).bytes(), "acme,mk2", "the first of two"},
      {sample::device_tree_of("acme,mk2\0"s), "acme,mk2", "the only one"},
      {DeviceTree().nop().begin().nop().nop().property("compatible", "a\0"s).bytes(), "a",
       "NOPs do not count"},
      {DeviceTree().begin("name").property("compatible", "a\0"s).bytes(), "a", "a named root"},
      {sample::device_tree_of("a\0"s) + std::string(100, 'x'), "a",
       "I-DTB 2: a total size under the section's"},
      {DeviceTree().begin().property("compatible", "a\0b"s, 2).bytes(), "a",
       "what pads a value is not looked at"},
  };
  for (const Row& row : rows) {
    const auto found = board(row.bytes);
    ASSERT_TRUE(found.has_value()) << row.reason << ": " << found.error().what;
    EXPECT_EQ(*found, row.board) << row.reason;
  }
}

TEST(DeviceTree, BadInput) {
  struct Row {
    std::string bytes;
    Errc error;
    std::string_view reason;
  };
  const std::string good = edited([](DeviceTree&) {}).bytes();
  const auto with = [](const std::function<void(DeviceTree&)>& edit) {
    return edited(edit).bytes();
  };
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += sample::be32(1) + sample::be32(0);
  const Row rows[] = {
      {"", Errc::truncated, "nothing"},
      {good.substr(0, 39), Errc::truncated, "shorter than a header"},
      {good.substr(0, good.size() - 1), Errc::truncated,
       "I-DTB 2: a total size over the section's"},
      {with([](auto& t) { t.total_size = 39; }), Errc::malformed, "smaller than its header"},
      {with([](auto& t) { t.total_size = 40; }), Errc::truncated, "nothing but its header"},
      {with([](auto& t) { t.total_size = 32_MiB + 1; }), Errc::malformed, "over R6"},
      {with([](auto& t) { t.total_size = 0xffff'ffff; }), Errc::malformed, "over R6"},
      {with([](auto& t) { t.magic = 0xedfe0dd0; }), Errc::malformed, "the other byte order"},
      {with([](auto& t) { t.struct_offset = 0xffff'fff0; }), Errc::malformed,
       "I-DTB 3: structure past the end"},
      {with([](auto& t) { t.strings_offset = 0xffff'fff0; }), Errc::truncated,
       "I-DTB 3: strings past the end"},
      {with([](auto& t) { t.struct_offset = 57; }), Errc::malformed, "structure not aligned"},
      {with([](auto& t) { t.struct_size = 0xffff'ffff; }), Errc::malformed, "I-DTB 4: would wrap"},
      {with([](auto& t) { t.strings_size = 0xffff'ffff; }), Errc::truncated, "I-DTB 4: would wrap"},
      {with([](auto& t) { t.strings_offset = 56; }), Errc::malformed,
       "the strings block lies before the structure's end"},
      {DeviceTree().begin().property("compatible", "a\0"s, 0x1000).bytes(), Errc::truncated,
       "I-DTB 5: property past the end"},
      {DeviceTree().begin().property("compatible", "a\0"s, 0xffff'ffff).bytes(), Errc::truncated,
       "I-DTB 5: would wrap"},
      {DeviceTree().begin().property("compatible", "a\0"s, std::nullopt, 11).bytes(),
       Errc::malformed, "I-DTB 6: name behind the strings"},
      {DeviceTree().begin().property("compatible", "a\0"s, std::nullopt, 0xffff'ffff).bytes(),
       Errc::malformed, "I-DTB 6: name behind the strings"},
      {DeviceTree().begin().property("x", "", std::nullopt, 99).bytes(), Errc::malformed,
       "I-DTB 6: of any property"},
      {with([](auto& t) { t.strings_size = 8; }), Errc::malformed, "a name without NUL"},
      {sample::device_tree_of("acme,mk2"), Errc::malformed, "I-DTB 7: value without NUL"},
      {sample::device_tree_of(""), Errc::malformed, "I-DTB 7: an empty value"},
      {sample::device_tree_of("\0a\0"s), Errc::not_found, "an empty board is none"},
      {DeviceTree().token(1).bytes(), Errc::malformed, "I-DTB 8: begin-node is the last word"},
      {DeviceTree().begin().token(1).bytes(), Errc::not_found, "I-DTB 8: of a subnode"},
      {DeviceTree().token(3).bytes(), Errc::malformed, "a property outside any node"},
      {DeviceTree().begin().token(3).bytes(), Errc::truncated, "property is the last word"},
      {edited([](auto& t) { t.structure.clear(); }).bytes(), Errc::truncated, "no structure"},
      {DeviceTree().begin().token(7).bytes(), Errc::malformed, "I-DTB 10: unknown token"},
      {DeviceTree().token(9).bytes(), Errc::malformed, "no root node"},
      {DeviceTree().begin().end().token(9).bytes(), Errc::not_found, "an empty root node"},
      {DeviceTree().begin().token(9).bytes(), Errc::malformed, "a root node without end"},
      {DeviceTree().begin().begin("x").property("compatible", "a\0"s).bytes(), Errc::not_found,
       "behind the first subnode nothing counts"},
      {[&] {
         DeviceTree tree;
         tree.structure = deep;
         return tree.bytes();
       }(),
       Errc::not_found, "I-DTB 11: 10,000 levels"},
  };
  for (const Row& row : rows) {
    const auto found = board(row.bytes);
    ASSERT_FALSE(found.has_value()) << row.reason;
    EXPECT_EQ(name(found.error().code), name(row.error))
        << row.reason << ": " << found.error().what;
  }
}

TEST(DeviceTree, EndlessNops) {  // I-DTB 9
  DeviceTree tree;
  tree.begin();
  for (int i = 0; i < 1'000'000; ++i) tree.structure += std::string_view("\0\0\0\x04", 4);
  EXPECT_EQ(board(tree.bytes()).error().code, Errc::truncated);
}

TEST(DeviceTree, Misaligned) {  // I-DTB 1
  const std::string bytes = sample::device_tree_of("a\0"s);
  const Pages pages = *[&] {
    auto room = Pages::allocate(bytes.size() + 8);
    __builtin_memcpy(room->data() + 1, bytes.data(), bytes.size());
    return room;
  }();
  const auto tree = device_tree::DeviceTree::parse(pages.bytes().subspan(1));
  ASSERT_FALSE(tree.has_value());
  EXPECT_EQ(tree.error().code, Errc::malformed);
}

}  // namespace
}  // namespace keelson
