// SPDX-License-Identifier: MIT
//
// The line format of settings, entries and os-release texts (efi/format/key_value.h).
#include "efi/format/key_value.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keelson {
namespace {

// "key=value@line;" for every line.
std::string read(std::string_view text, KeySeparator separator) {
  std::string all;
  KeyValueLines lines(bytes_of(text), separator);
  while (const auto line = lines.next())
    all += std::string(line->key) + "=" + std::string(line->value) + "@" +
           std::to_string(line->line) + ";";
  return all;
}

TEST(KeyValue, Lines) {
  struct Row {
    std::string_view text, blank, equals, reason;
  };
  using namespace std::string_view_literals;
  const Row rows[] = {
      {"", "", "", "empty file"},
      {"a b", "a=b@1;", "", "no final newline"},
      {"a b\nc d\n", "a=b@1;c=d@2;", "", "LF"},
      {"a b\r\nc d\r\n", "a=b@1;c=d@2;", "", "CR LF is one line end"},
      {"a b\rc d\r", "a=b@1;c=d@2;", "", "CR alone"},
      {"\n\n a b\n", "a=b@3;", "", "empty lines count, but are passed over"},
      {"\r\n\r\na b\r\n", "a=b@3;", "", "empty CR LF lines"},
      {"a b\0c d"sv, "a=b@1;", "", "ends at the first NUL"},
      {"# a b\n  # c d\na b # x\n", "a=b # x@3;", "", "comments start a line only"},
      {"\t a \t  b  c \t\n", "a=b  c@1;", "", "blanks around key and value"},
      {"key\nkey \n", "", "", "key without value"},
      {"=x\n", "", "", "no key, and no blank"},
      {"==x\n", "", "", "separators only before the value"},
      {"A=b\nC= d\n", "C==d@2;", "A=b@1;C= d@2;", "os-release"},
      {"A=\nB==c\n", "", "B=c@2;", "further separators are skipped"},
      {"A=\"b c\"\nB='d'\n", "A=\"b=c\"@1;", "A=b c@1;B=d@2;", "quotes"},
      {"a \"b\" \"c\"\n", "a=b\" \"c@1;", "", "only the outer pair"},
      {"a \"b'\n", "a=\"b'@1;", "", "unbalanced quotes stay"},
      {"a \"\n", "a=\"@1;", "", "a single quote is no pair"},
      {"a \"\"\nb \"\"c\n", "b=\"\"c@2;", "", "an empty quoted value is none"},
      {"A=\"a\\\"b\"\n", "", "A=a\\\"b@1;", "no escapes"},
      {"\xEF\xBB\xBFtitle x\nversion 1\n", "\xEF\xBB\xBFtitle=x@1;version=1@2;", "",
       "a byte order mark spoils the first line"},
      {"a\fb c\n", "a\fb=c@1;", "", "form feeds are no blanks"},
      {"a \xFF\xFE\n", "a=\xFF\xFE@1;", "", "UTF-8 is not checked here"},
      {"t\0i\0t\0l\0e\0"sv, "", "", "UTF-16 ends at once"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    EXPECT_EQ(read(row.text, KeySeparator::blank), row.blank);
    EXPECT_EQ(read(row.text, KeySeparator::equals), row.equals);
  }
}

TEST(KeyValue, VeryLongLine) {
  const std::string value(1 << 20, 'x');
  EXPECT_EQ(read("title " + value, KeySeparator::blank), "title=" + value + "@1;");
}

TEST(KeyValue, EveryPrefixReads) {
  const std::string text = "title \"A b\"\r\n# c\n\tlinux  /vmlinuz\nversion 1\r";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string part = text.substr(0, size);  // own allocation: an overrun is seen
    KeyValueLines lines(bytes_of(part), KeySeparator::blank);
    std::size_t count = 0;
    while (const auto line = lines.next()) {
      EXPECT_GE(line->key.data(), part.data());
      EXPECT_LE(line->value.data() + line->value.size(), part.data() + part.size());
      ++count;
    }
    EXPECT_LE(count, 3u);
  }
}

}  // namespace
}  // namespace keelson
