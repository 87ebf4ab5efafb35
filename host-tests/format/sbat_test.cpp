// SPDX-License-Identifier: MIT
//
// SBAT texts: lines, checks, merging (efi/format/sbat.h).
#include "efi/format/sbat.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keelson {
namespace {

using namespace std::string_view_literals;

TEST(Sbat, Lines) {
  struct Row {
    std::string_view line;
    std::uint32_t generation;  // 0: refused
    std::string_view reason;
  };
  const Row rows[] = {
      {"grub,3,Free Software Foundation,grub,2.06,https://gnu.org", 3, "plain"},
      {"grub,4294967295", 4294967295, "component and generation suffice"},
      {"grub", 0, "no generation"},
      {"grub,", 0, "empty generation"},
      {",1,x", 0, "no component"},
      {"grub,0,x", 0, "generations start at 1"},
      {"grub,-1,x", 0, "sign"},
      {"grub,1a,x", 0, "letters"},
      {"grub,4294967296,x", 0, "too large"},
      {"grub,1,\xc3\xa4", 0, "not ASCII"},
      {"grub,1,\t", 0, "control character"},
  };
  for (const Row& row : rows) {
    const auto component = sbat::parse_line(row.line);
    EXPECT_EQ(component.has_value(), row.generation != 0) << row.reason;
    if (component.has_value()) {
      EXPECT_EQ(component->generation, row.generation) << row.reason;
      EXPECT_EQ(component->name, "grub");
      EXPECT_EQ(component->line, row.line);
    }
  }
}

TEST(Sbat, Texts) {
  struct Row {
    std::string_view text;
    std::uint64_t bad_line;  // UINT64_MAX: good
    std::string_view reason;
  };
  constexpr auto good = UINT64_MAX;
  const Row rows[] = {
      {"sbat,1,x\na,1\n", good, "plain"},
      {"sbat,1,x\r\na,1\r\n", good, "carriage returns"},
      {"sbat,1,x\na,1", good, "no final newline"},
      {"sbat,1,x\n\na,1\n\0\0junk,x"sv, good, "ends at the NUL, empty lines are passed"},
      {"", 0, "empty"},
      {"\0sbat,1"sv, 0, "empty"},
      {"a,1\nsbat,1\n", 1, "does not begin with sbat"},
      {"sbat,1\na\n", 2, "second line"},
  };
  for (const Row& row : rows) {
    const auto checked = sbat::check(row.text);
    EXPECT_EQ(checked.has_value(), row.bad_line == good) << row.reason;
    if (!checked.has_value()) EXPECT_EQ(checked.error().where, row.bad_line) << row.reason;
  }
}

std::string merge(const std::vector<std::string_view>& texts) {
  std::size_t size = sbat::merge_overhead;
  for (const auto text : texts) size += text.size() + sbat::merge_overhead;
  std::string room(size, '\0');
  Writer writer(std::as_writable_bytes(std::span(room)));
  if (!sbat::merge(texts, writer).has_value()) return "(refused)";
  return room.substr(0, writer.size());
}

TEST(Sbat, Merging) {
  const std::string first(sbat::first_line);
  EXPECT_EQ(merge({}), first + "\n");
  EXPECT_EQ(merge({"sbat,1,old\nstub,1,s\n\0\0\0"sv, "", "sbat,1,x\nkernel,1,k", "own,1\nown,1\n"}),
            first + "\nstub,1,s\nkernel,1,k\nown,1\nown,1\n")
      << "no de-duplication, one first line, final newline";
  EXPECT_EQ(merge({"stub,1,s\nsbat,1,later\n"}), first + "\nstub,1,s\nsbat,1,later\n")
      << "only a first line is taken off";
  EXPECT_EQ(merge({"stub\n"}), "(refused)");
  EXPECT_EQ(merge({"a,1", "a,1", "a,1", "a,1"}), first + "\na,1\na,1\na,1\na,1\n");
  EXPECT_TRUE(sbat::check(merge({sbat::default_uki_line})).has_value());
  EXPECT_TRUE(sbat::check(merge({sbat::default_addon_line})).has_value());

  std::string room(10, '\0');
  Writer small(std::as_writable_bytes(std::span(room)));
  EXPECT_EQ(sbat::merge({}, small).error().code, Errc::out_of_memory);
}

}  // namespace
}  // namespace keelson
