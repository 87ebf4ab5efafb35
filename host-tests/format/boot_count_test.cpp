// SPDX-License-Identifier: MIT
//
// Counters in file names (efi/format/boot_count.h).
#include "efi/format/boot_count.h"

#include <gtest/gtest.h>

#include <string>

#include "host-tests/utf16.h"

namespace keelson {
namespace {

constexpr BootCount count(std::uint32_t left, std::uint32_t done, std::size_t left_width,
                          std::size_t done_width) {
  return {left, done, left_width, done_width};
}

TEST(BootCount, ReadsNames) {
  struct Row {
    std::u16string_view name, stem;
    std::optional<BootCount> count;
    std::string_view reason;
  };
  constexpr auto none = std::nullopt;
  const Row rows[] = {
      {u"a.conf", u"a", none, "no counter"},
      {u"a+3.conf", u"a", count(3, 0, 1, 0), "tries left only"},
      {u"a+3-0.efi", u"a", count(3, 0, 1, 1), "as tools write it"},
      {u"a+03-00.efi", u"a", count(3, 0, 2, 2), "widths are kept"},
      {u"a+0-3.conf", u"a", count(0, 3, 1, 1), "exhausted"},
      {u"a+1+2.conf", u"a+1", count(2, 0, 1, 0), "the last plus counts"},
      {u"a+2+x.conf", u"a+2+x", none, "even if no counter follows it"},
      {u"A+3.CONF", u"A", count(3, 0, 1, 0), "suffix of any case"},
      {u"a+.conf", u"a+", none, "no digits"},
      {u"a+x.conf", u"a+x", none, "no number"},
      {u"a+3-.conf", u"a+3-", none, "no digits after the dash"},
      {u"a+3-0-1.conf", u"a+3-0-1", none, "text after the numbers"},
      {u"a+3x.conf", u"a+3x", none, "text after the number"},
      {u"a+-3.conf", u"a+-3", none, "sign"},
      {u"a+2147483647-2147483647.efi", u"a", count(max_tries, max_tries, 10, 10), "largest"},
      {u"a+2147483648.conf", u"a+2147483648", none, "above 2^31-1"},
      {u"a+1-2147483648.conf", u"a+1-2147483648", none, "done above 2^31-1"},
      {u"a+99999999999999999999999.conf", u"a+99999999999999999999999", none, "overflow"},
      {u"+.conf", u"+", none, "no stem, but no counter either"},
      {u"a.conf+3.conf", u"a.conf", count(3, 0, 1, 0), "suffix twice"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    const auto name = parse_counted_name(row.name);
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->stem, row.stem);
    EXPECT_EQ(name->count, row.count);
    TextArena arena;
    const auto written = write_counted_name(*name, name->count, arena);
    ASSERT_TRUE(written.has_value());
    EXPECT_EQ(*written, row.name) << "reading and writing is the identity";
  }
}

TEST(BootCount, RefusesNames) {
  for (const auto name : {u"+3.conf", u"+3-1.efi", u".conf", u".efi", u"a.txt", u"", u"conf"})
    EXPECT_FALSE(parse_counted_name(name).has_value()) << utf8(name);
}

std::u16string rename(std::u16string_view name, BootCount (*change)(BootCount)) {
  TextArena arena;
  const auto parsed = parse_counted_name(name);
  if (!parsed.has_value() || !parsed->count) return u"(no counter)";
  const auto written = write_counted_name(*parsed, change(*parsed->count), arena);
  return written.has_value() ? std::u16string(*written) : u"(too long)";
}

TEST(BootCount, NameAfterATry) {
  struct Row {
    std::u16string_view before, after;
    std::string_view reason;
  };
  const Row rows[] = {
      {u"foo+3.conf", u"foo+2-1.conf", "the done part appears"},
      {u"foo+2-1.conf", u"foo+1-2.conf", "down and up"},
      {u"foo+1-2.conf", u"foo+0-3.conf", "last try"},
      {u"foo+0-3.conf", u"foo+0-4.conf", "tried again by hand"},
      {u"foo+10.conf", u"foo+09-1.conf", "width of tries left"},
      {u"foo+03-00.efi", u"foo+02-01.efi", "both widths"},
      {u"foo+5-9.efi", u"foo+4-9.efi", "done stops at its width"},
      {u"foo+5-09.efi", u"foo+4-10.efi", "but not before"},
      {u"foo+5-2147483647.efi", u"foo+4-2147483647.efi", "nor above 2^31-1"},
      {u"foo+5-00000000000009.efi", u"foo+4-00000000000010.efi", "very wide"},
      {u"Foo+1.EFI", u"Foo+0-1.EFI", "the name keeps its case"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    EXPECT_EQ(rename(row.before, after_try), row.after);
  }
}

TEST(BootCount, NameWithoutCounter) {
  TextArena arena;
  const auto name = parse_counted_name(u"foo+2-1.efi");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(write_counted_name(*name, std::nullopt, arena).value(), u"foo.efi");
}

TEST(BootCount, NameTooLong) {
  TextArena arena;
  const std::u16string fits = std::u16string(249, u'a') + u"+3.efi";  // 255
  const auto name = parse_counted_name(fits);
  ASSERT_TRUE(name.has_value());
  EXPECT_TRUE(write_counted_name(*name, name->count, arena).has_value());
  const auto longer = write_counted_name(*name, after_try(*name->count), arena);
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().code, Errc::unsupported);
}

TEST(BootCount, LengthStaysOnceDoneIsWritten) {
  std::u16string name = u"foo+9-0.efi";
  const std::size_t size = name.size();
  for (int i = 0; i < 30; ++i) {
    name = rename(name, after_try);
    EXPECT_EQ(name.size(), size);
  }
  EXPECT_EQ(name, u"foo+0-9.efi");
}

}  // namespace
}  // namespace keelson
