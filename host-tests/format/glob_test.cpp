// SPDX-License-Identifier: MIT
//
// Patterns (efi/format/glob.h).
#include "efi/format/glob.h"

#include <gtest/gtest.h>

#include <string>

#include "host-tests/utf16.h"

namespace keelson {
namespace {

TEST(Glob, Cases) {
  struct Row {
    std::u16string_view pattern, text;
    bool matches;
    std::string_view reason = "reference case";
  };
  const Row rows[] = {
      {u"abc", u"abc", true},
      {u"aBc", u"abc", false},
      {u"a?c", u"azc", true},
      {u"1?", u"1", false},
      {u"***", u"", true},
      {u"start*end", u"startendend", true},
      {u"ab*cde", u"abzcd", false},
      {u"[][!]", u"!", true},
      {u"[]-]", u"-", true},
      {u"[1\\]]", u"]", true},
      {u"[a-c-f]", u"e", false},
      {u"[a-c-f]", u"-", true},
      {u"[--0]", u".", true},
      {u"[+--]", u",", true},
      {u"[abc", u"a", false},
      {u"abc]", u"abc]", true},
      {u"\\*\\a\\[", u"*a[", true},
      {u"[$-\\+]", u"&", true},
      {u"debian-*.*", u"debian-wheezy.efi", true},
      {u"[a\\-z]", u"b", false},
      {u"", u"", true, "nothing matches nothing"},
      {u"", u"a", false, "and nothing else"},
      {u"a", u"", false, "a text that ended"},
      {u"[z-a]", u"m", false, "a reversed range is empty"},
      {u"[z-a]", u"z", false, "its ends included"},
      {u"[]]", u"]", true, "] first is a member"},
      {u"[]", u"]", false, "and then the set does not end"},
      {u"[a-]", u"-", true, "- last is a member"},
      {u"[a-]", u"b", false, "and makes no range"},
      {u"[a-c-f]", u"f", true, "what follows the range is a member"},
      {u"[a-c--f]", u"5", true, "and may begin a range itself"},
      {u"[\\]-a]", u"^", true, "an escaped end of a range"},
      {u"[!a]", u"b", false, "no negation"},
      {u"a\\", u"a\\", false, "a backslash at the end matches nothing"},
      {u"[a\\", u"a", false, "nor inside a set"},
      {u"*\\", u"a", false, "nor behind a star"},
      {u"*.efi", u"a.efi.efi", true, "the last star gives way"},
      {u"*a*b*c", u"xxaxxbxxbxxc", true, "several stars"},
      {u"*a*b*c", u"xxaxxcxxb", false, "in order"},
      {u"?*?", u"a", false, "two units are needed"},
      {u"?*?", u"ab", true, "and suffice"},
      {u"*[ab]?", u"xxbz", true, "a set after a star"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    EXPECT_EQ(glob_match(row.pattern, row.text), row.matches)
        << utf8(row.pattern) << " | " << utf8(row.text);
  }
}

TEST(Glob, FoldsBothSides) {
  EXPECT_TRUE(glob_match_ignoring_case(u"ABC*[X-Z]", u"abc-y"));
  EXPECT_TRUE(glob_match_ignoring_case(u"abc*[x-z]", u"ABC-Y"));
  EXPECT_TRUE(glob_match_ignoring_case(u"\\A", u"a"));
  EXPECT_FALSE(glob_match_ignoring_case(u"abc", u"abd"));
}

// Definition by recursion, exponential, for short patterns of `a`, `b`, `?` and `*`.
bool matches_by_definition(std::u16string_view pattern, std::u16string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == u'*')
    return matches_by_definition(pattern.substr(1), text) ||
           (!text.empty() && matches_by_definition(pattern, text.substr(1)));
  return !text.empty() && (pattern.front() == u'?' || pattern.front() == text.front()) &&
         matches_by_definition(pattern.substr(1), text.substr(1));
}

TEST(Glob, AgreesWithItsDefinition) {
  const auto nth = [](unsigned number, std::u16string_view alphabet) {
    std::u16string text;
    for (; number != 0; number /= static_cast<unsigned>(alphabet.size() + 1))
      if (const unsigned digit = number % static_cast<unsigned>(alphabet.size() + 1); digit != 0)
        text += alphabet[digit - 1];
    return text;
  };
  for (unsigned p = 0; p < 3125; ++p)
    for (unsigned t = 0; t < 243; t += 2) {
      const auto pattern = nth(p, u"ab?*"), text = nth(t, u"ab");
      ASSERT_EQ(glob_match(pattern, text), matches_by_definition(pattern, text))
          << utf8(pattern) << " | " << utf8(text);
    }
}

TEST(Glob, ManyStarsDoNotBlowUp) {
  EXPECT_TRUE(glob_match(std::u16string(4000, u'*'), u"debian.conf"));
  std::u16string pattern;
  for (int i = 0; i < 2000; ++i) pattern += u"*a";
  EXPECT_FALSE(glob_match(pattern + u"b", std::u16string(4000, u'a')));
}

}  // namespace
}  // namespace keelson
