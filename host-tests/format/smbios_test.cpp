// SPDX-License-Identifier: MIT
//
// SMBIOS (efi/format/smbios.h): structures, strings, OEM strings, and the bad inputs of I-SMBIOS.
#include "efi/format/smbios.h"

#include <gtest/gtest.h>

#include "host-tests/format/sample_smbios.h"

namespace keelson {
namespace {

using namespace std::literals;
using sample::smbios_structure;

smbios::Table table_of(const std::string& bytes) { return smbios::Table(bytes_of(bytes)); }

// The types of the structures that are found: "1 2 11".
std::string types(const std::string& bytes) {
  std::string text;
  const smbios::Table table = table_of(bytes);
  for (auto walk = table.walk(); const auto structure = walk.next();)
    text += (text.empty() ? "" : " ") + std::to_string(structure->type);
  return text;
}

TEST(Smbios, StructuresUpToTheEnd) {
  const std::string one = smbios_structure(1, "abc", {"x", "yy"});
  const std::string two = smbios_structure(2, "");
  const std::string end = sample::smbios_end();
  struct Row {
    std::string bytes;
    std::string_view types;
    std::string_view reason;
  };
  const Row rows[] = {
      {"", "", "I-SMBIOS 6: a table of size 0"},
      {one + two + end, "1 2", "the marker ends the table"},
      {one + end + two, "1", "behind the marker nothing counts"},
      {one + two, "1 2", "I-SMBIOS 3: no marker: the last byte ends it"},
      {one + two + "\x01", "1 2", "a header that is cut off"},
      {one + smbios_structure(2, "", {}, 3) + one, "1", "I-SMBIOS 2: a length under 4"},
      {one + smbios_structure(2, "", {}, 0) + one, "1", "I-SMBIOS 2: 0 would never end"},
      {one + smbios_structure(2, "", {}, 255), "1", "a formatted area past the end"},
      {one + "\x02\x04\0\0"s, "1", "I-SMBIOS 4: no strings, no NULs"},
      {one + "\x02\x04\0\0\0"s, "1", "I-SMBIOS 4: one NUL"},
      {one + "\x02\x04\0\0abc\0"s, "1", "I-SMBIOS 4: a set without its end"},
      {one + "\x02\x04\0\0abc"s, "1", "I-SMBIOS 4: a string without NUL"},
      {std::string(70000, '\0'), "", "zeros: a length of 0"},
      {std::string(70000, '\xff'), "", "ones: a structure without end"},
  };
  for (const Row& row : rows) EXPECT_EQ(types(row.bytes), row.types) << row.reason;
}

TEST(Smbios, StructuresHaveTheirStringsWithThem) {
  const std::string one = smbios_structure(1, "abc", {"x", "yy"});
  const std::string two = smbios_structure(2, "");
  const std::string bytes = one + two;
  auto walk = table_of(bytes).walk();
  const auto first = walk.next(), second = walk.next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(text_of(first->formatted), "\x01\x07\x34\x12"s + "abc");
  EXPECT_EQ(text_of(first->bytes), one);
  EXPECT_EQ(text_of(second->bytes), two);
  EXPECT_EQ(second->bytes.size(), second->formatted.size() + 2);
  EXPECT_FALSE(walk.next() || walk.next()) << "the end stays the end";
}

TEST(Smbios, StringsByNumber) {
  const std::string bytes =
      smbios_structure(1, "\x01\x03\x00\x04\xff"s, {"first", "second", "third"});
  const auto structure = table_of(bytes).first(1);
  ASSERT_TRUE(structure);
  struct Row {
    std::size_t offset;
    std::string_view text;
    std::string_view reason;
  };
  constexpr Row rows[] = {
      {4, "first", "counted from 1"},
      {5, "third", "the last one"},
      {6, "", "0: the firmware has none"},
      {7, "", "I-SMBIOS 5: one past the set"},
      {8, "", "I-SMBIOS 5: far past the set"},
      {9, "", "I-SMBIOS 8: behind the formatted area"},
      {SIZE_MAX, "", "no wrap-around"},
      {0, "first", "any byte of the area can be asked for"},
  };
  for (const Row& row : rows) EXPECT_EQ(structure->string_at(row.offset), row.text) << row.reason;
  EXPECT_EQ(structure->string(2), "second");
  const std::string none = smbios_structure(1, "\x01");
  EXPECT_EQ(table_of(none).first(1)->string_at(4), "");
}

TEST(Smbios, OemStrings) {
  const std::string words = "io.systemd.stub.kernel-cmdline-extra=";
  const std::string huge = words + std::string(64_KiB, 'x');
  struct Row {
    std::string table;
    std::optional<std::string> text;
    std::string_view reason;
  };
  using sample::smbios_oem_strings;
  const Row rows[] = {
      {"", std::nullopt, "no table"},
      {sample::smbios_system({}), std::nullopt, "no OEM strings"},
      {smbios_oem_strings({}), std::nullopt, "an empty set"},
      {smbios_oem_strings({words + "a b"}), "a b", "what follows the prefix"},
      {smbios_oem_strings({words}), "", "nothing follows"},
      {smbios_oem_strings({"x" + words + "a"}), std::nullopt, "a prefix, not any place"},
      {smbios_oem_strings({"other=1", words + "a", words + "b"}), "a", "the first match"},
      {smbios_oem_strings({"other=1"}) + smbios_oem_strings({words + "a"}), std::nullopt,
       "the first structure only"},
      {smbios_structure(11, "\x00"s, {words + "a"}), "a", "I-SMBIOS 7: a count of 0"},
      {smbios_structure(11, "\xff"s, {words + "a"}), "a", "I-SMBIOS 7: a count of 255"},
      {smbios_structure(11, "", {words + "a"}), "a", "I-SMBIOS 7: no count"},
      {smbios_oem_strings({huge}), huge.substr(words.size()), "I-SMBIOS 10: 64 KiB"},
      {"\x0b\x05\0\0\x01" + words + "a", std::nullopt, "a set that does not end"},
  };
  for (const Row& row : rows) {
    const auto found = table_of(row.table).oem_string(words);
    EXPECT_EQ(found ? std::optional(std::string(*found)) : std::nullopt, row.text) << row.reason;
  }
}

TEST(Smbios, EntryPoints) {
  constexpr std::uint64_t address = 0x7fff'1234'5678;
  constexpr std::uint32_t size = 5000;
  const std::string good3 = sample::smbios_entry_point_3(address, size);
  const std::string good2 = sample::smbios_entry_point_2(0x8765'4321, 5000);
  const auto with = [](std::string bytes, std::size_t at, char value, bool balanced) {
    bytes[at] = value;
    if (balanced) sample::balance(bytes, bytes.starts_with("_SM3_") ? 5 : 4, 0, bytes.size());
    return bytes;
  };
  struct Row {
    std::string bytes;
    Result<smbios::Location> (*parse)(Bytes);
    std::optional<Errc> error;
    std::string_view reason;
  };
  constexpr auto v3 = smbios::parse_entry_point_3;
  constexpr auto v2 = smbios::parse_entry_point_2;
  std::string short2 = good2;
  short2[5] = 30;
  sample::balance(short2, 4, 0, 30);
  const Row rows[] = {
      {good3, v3, std::nullopt, "version 3"},
      {good3 + std::string(20, 'x'), v3, std::nullopt, "what follows does not count"},
      {good2, v2, std::nullopt, "version 2"},
      {short2, v2, std::nullopt, "a length of 30, as SMBIOS 2.1 had it by mistake"},
      {good2, v3, Errc::malformed, "I-SMBIOS 1: the other anchor"},
      {good3 + std::string(8, '\0'), v2, Errc::malformed, "I-SMBIOS 1: the other anchor"},
      {with(good3, 0, '-', true), v3, Errc::malformed, "I-SMBIOS 1: a wrong anchor"},
      {with(good2, 17, 'd', true), v2, Errc::malformed, "I-SMBIOS 1: the second anchor"},
      {"", v3, Errc::truncated, "no bytes"},
      {good3.substr(0, 23), v3, Errc::truncated, "cut off"},
      {good2.substr(0, 30), v2, Errc::truncated, "cut off"},
      {with(good3, 6, 23, true), v3, Errc::malformed, "shorter than its fields"},
      {with(good3, 6, 33, true), v3, Errc::malformed, "longer than any"},
      {with(good3, 6, 32, true), v3, Errc::truncated, "longer than what is there"},
      {with(good3, 7, 4, false), v3, Errc::malformed, "a wrong sum"},
      {with(good2, 7, 4, false), v2, Errc::malformed, "a wrong sum"},
      {with(good2, 23, 1, true), v2, Errc::malformed, "a wrong sum of the second half"},
      {sample::smbios_entry_point_3(0, size), v3, Errc::malformed, "a table at 0"},
      {sample::smbios_entry_point_2(0, 5000), v2, Errc::malformed, "a table at 0"},
  };
  for (const Row& row : rows) {
    const auto location = row.parse(bytes_of(row.bytes));
    ASSERT_EQ(location.has_value(), !row.error.has_value()) << row.reason;
    if (!location.has_value()) {
      EXPECT_EQ(location.error().code, *row.error) << row.reason;
    } else {
      EXPECT_EQ(location->address, row.parse == v3 ? address : 0x8765'4321u) << row.reason;
      EXPECT_EQ(location->size, size) << row.reason;
    }
  }
}

TEST(Smbios, SizesOfTables) {
  // I-SMBIOS 6.
  for (const auto& [stated, used] : {std::pair{0u, 0u}, {1u, 1u}, {0xffff'ffffu, 1u << 20}}) {
    const auto location =
        smbios::parse_entry_point_3(bytes_of(sample::smbios_entry_point_3(4096, stated)));
    ASSERT_TRUE(location.has_value());
    EXPECT_EQ(location->size, used);
  }
}

}  // namespace
}  // namespace keelson
