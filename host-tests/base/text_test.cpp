// SPDX-License-Identifier: MIT
//
// UTF-8 and UTF-16 conversion, numbers and printable text (efi/base/text.h).
#include "efi/base/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keelson {
namespace {

std::u16string utf16(std::string_view utf8, BadText policy) {
  std::vector<char16_t> room(utf8.size());
  const auto text = to_utf16(utf8, policy, room);
  return text.has_value() ? std::u16string(*text) : u"(refused)";
}

TEST(Text, Utf8ToUtf16) {
  struct Row {
    std::string_view utf8;
    std::u16string_view dropped, replaced, strict;
    std::string_view reason;
  };
  const Row rows[] = {
      {"quiet", u"quiet", u"quiet", u"quiet", "ASCII"},
      {"", u"", u"", u"", "nothing"},
      {"\xC3\xA4", u"\u00E4", u"\u00E4", u"\u00E4", "two bytes"},
      {"\xE2\x82\xAC", u"\u20AC", u"\u20AC", u"\u20AC", "three bytes"},
      {"a\xF0\x9F\x98\x80z", u"az", u"a\uFFFDz", u"(refused)", "above U+FFFF: UCS-2 cannot hold it"},
      {"a\xC0\xAFz", u"az", u"a\uFFFD\uFFFDz", u"(refused)", "overlong slash never decodes"},
      {"a\xE0\x80\xAFz", u"az", u"a\uFFFD\uFFFD\uFFFDz", u"(refused)", "overlong in three bytes"},
      {"a\xED\xA0\x80z", u"az", u"a\uFFFD\uFFFD\uFFFDz", u"(refused)", "a surrogate is no character"},
      {"a\xE2\x82", u"a", u"a\uFFFD", u"(refused)", "cut short"},
      {"a\xFFz", u"az", u"a\uFFFDz", u"(refused)", "no such lead byte"},
      {std::string_view("a\0b", 3), u"a", u"a", u"a", "conversion stops at NUL"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(utf16(row.utf8, BadText::drop), row.dropped) << row.reason;
    EXPECT_EQ(utf16(row.utf8, BadText::replace), row.replaced) << row.reason;
    EXPECT_EQ(utf16(row.utf8, BadText::refuse), row.strict) << row.reason;
  }
}

TEST(Text, Utf16ToUtf8) {
  struct Row {
    std::u16string utf16;
    std::string_view utf8, reason;
  };
  const Row rows[] = {
      {u"abc", "abc", "ASCII"},
      {u"\u00E4\u20AC", "\xC3\xA4\xE2\x82\xAC", "two and three bytes"},
      {u"\U0001F600", "\xF0\x9F\x98\x80", "a surrogate pair"},
      {std::u16string(1, char16_t{0xD800}) + u"x", "\xEF\xBF\xBDx", "high surrogate alone"},
      {std::u16string(1, char16_t{0xDC00}), "\xEF\xBF\xBD", "low surrogate alone"},
  };
  for (const Row& row : rows) {
    std::vector<char> room(row.utf16.size() * 3);
    const auto text = to_utf8(row.utf16, room);
    ASSERT_TRUE(text.has_value()) << row.reason;
    EXPECT_EQ(*text, row.utf8) << row.reason;
  }
}

TEST(Text, SmallBufferIsAnError) {
  std::array<char16_t, 2> two{};
  EXPECT_EQ(to_utf16("abc", BadText::drop, two).error().code, Errc::out_of_memory);
  std::array<char, 2> bytes{};
  EXPECT_EQ(to_utf8(u"\u20AC", bytes).error().code, Errc::out_of_memory);
}

TEST(Text, ParseDecimal) {
  struct Row {
    std::string_view text;
    std::uint64_t max;
    std::optional<std::uint64_t> value;
    std::string_view reason;
  };
  const Row rows[] = {
      {"0", 10, 0, "zero"},
      {"007", 10, 7, "leading zeros"},
      {"10", 10, 10, "the limit itself"},
      {"11", 10, std::nullopt, "over the limit"},
      {"5", 3, std::nullopt, "one digit over the limit"},
      {"18446744073709551615", UINT64_MAX, UINT64_MAX, "largest"},
      {"18446744073709551616", UINT64_MAX, std::nullopt, "overflow"},
      {"", 10, std::nullopt, "empty"},
      {"+1", 10, std::nullopt, "sign"},
      {"1 ", 10, std::nullopt, "blank"},
  };
  for (const Row& row : rows) EXPECT_EQ(parse_decimal(row.text, row.max), row.value) << row.reason;
}

TEST(Text, DecimalKeepsWidth) {
  EXPECT_EQ(std::string_view(Decimal(0)), "0");
  EXPECT_EQ(std::string_view(Decimal(9, 2)), "09");
  EXPECT_EQ(std::string_view(Decimal(UINT64_MAX)), "18446744073709551615");
  EXPECT_EQ(std::string_view(Decimal(7, 99)).size(), 20u) << "never wider than its buffer";
}

TEST(Text, MakePrintable) {
  std::u16string text = u"a\x1b[2J\u202Eb\u0085";
  make_printable(text);
  EXPECT_EQ(text, u"a\uFFFD[2J\uFFFDb\uFFFD");
}

TEST(Text, ArenaTextsAreTerminated) {
  TextArena arena;
  const auto text = to_utf16("x\xFFy", BadText::drop, arena);
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text, u"xy");
  EXPECT_EQ(text->data()[2], u'\0');
}

}  // namespace
}  // namespace keelson
