// SPDX-License-Identifier: MIT
//
// Slices, wire fields, GUIDs, results and messages (efi/base).
#include "efi/base/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "efi/base/diagnostics.h"
#include "efi/base/guid.h"

namespace keelson {
namespace {

TEST(Slice, NeverLeavesTheBytes) {
  const std::array<std::byte, 10> ten{};
  struct Row {
    std::uint64_t at, size;
    bool good;
    std::string_view reason;
  };
  const Row rows[] = {
      {0, 10, true, "everything"},         {10, 0, true, "empty at the end"},
      {10, 1, false, "one past the end"},  {11, 0, false, "starts past the end"},
      {5, 6, false, "ends past the end"},  {UINT64_MAX, 2, false, "wraps around"},
      {2, UINT64_MAX, false, "wraps too"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(slice(ten, row.at, row.size, "x").has_value(), row.good) << row.reason;
}

TEST(Wire, ByteOrder) {
  struct Record {
    Le<std::uint16_t> little;
    Be<std::uint32_t> big;
  };
  static_assert(sizeof(Record) == 6);
  const std::array<std::byte, 6> bytes{std::byte{0x34}, std::byte{0x12}, std::byte{1},
                                       std::byte{2},    std::byte{3},    std::byte{4}};
  const auto record = load<Record>(bytes, 0, "record");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->little, 0x1234);
  EXPECT_EQ(record->big, 0x01020304u);
  EXPECT_TRUE(std::ranges::equal(bytes_of_struct(*record), bytes));
  EXPECT_EQ(load<Record>(bytes, 1, "record").error(), (Error{Errc::truncated, "record", 1}));
}

TEST(Wire, WriterStopsAtTheFirstOverflow) {
  std::array<std::byte, 4> room{};
  Writer writer(room);
  writer.append(bytes_of(std::string_view("abc"))).append(bytes_of(std::string_view("de")));
  writer.append(bytes_of(std::string_view("f")));
  EXPECT_EQ(writer.done().error().code, Errc::out_of_memory);
  EXPECT_EQ(room[3], std::byte{0}) << "what came after the overflow is not written";
}

TEST(Guid, MixedEndianAndText) {
  constexpr Guid esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"_guid;
  EXPECT_EQ(esp.bytes[0], 0x28);
  EXPECT_EQ(esp.bytes[3], 0xc1);
  EXPECT_EQ(esp.bytes[8], 0xba);
  const auto lower = to_text(esp);
  EXPECT_EQ(std::string_view(lower.data(), lower.size()), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  const auto upper = to_text(esp, LetterCase::upper);
  const auto parsed = parse_guid({upper.data(), upper.size()});
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, esp);
  EXPECT_FALSE(parse_guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93").has_value());
  EXPECT_FALSE(parse_guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93g").has_value());
  EXPECT_FALSE(parse_guid("c12a7328+f81f-11d2-ba4b-00a0c93ec93b").has_value());
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::malformed, "odd", 7);
  return number / 2;
}
Result<int> quarter(int number) { return TRY(half(TRY(half(number)))); }
TEST(Result, TryPassesErrorsUp) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).error(), (Error{Errc::malformed, "odd", 7}));
}
Result<std::unique_ptr<int>> boxed() { return std::make_unique<int>(5); }
Result<int> unboxed() {
  const auto box = TRY(boxed());
  return *box;
}
TEST(Result, TryMovesValues) { EXPECT_EQ(*unboxed(), 5); }

class Collected final : public Diagnostics {
 public:
  std::vector<std::string> lines;

 private:
  void write(Severity /*severity*/, std::string_view message) override {
    lines.emplace_back(message);
  }
};
TEST(Diagnostics, PrintsPartsWithoutFormatStrings) {
  Collected log;
  log.warn("skipping ", u"\\EFI\\\u00E4%s.efi", ": ", Error{Errc::truncated, "section table past end", 64});
  log.info(std::int64_t{INT64_MIN}, " ", std::uint8_t{7}, " ", Hex{255});
  ASSERT_EQ(log.lines.size(), 2u);
  EXPECT_EQ(log.lines[0], "skipping \\EFI\\\xC3\xA4%s.efi: section table past end (truncated, at 0x40)");
  EXPECT_EQ(log.lines[1], "-9223372036854775808 7 0xff");
}
TEST(Diagnostics, LongMessagesAreCut) {
  Line line;
  print(line, std::string_view(std::string(600, 'x')));
  EXPECT_TRUE(line.cut());
  EXPECT_EQ(line.text().size(), 512u);
}

}  // namespace
}  // namespace keelson
