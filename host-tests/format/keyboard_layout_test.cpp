// SPDX-License-Identifier: MIT
//
// Language tags of keyboard layouts, also of layouts that lie about themselves.
#include "efi/format/keyboard_layout.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host-tests/utf16.h"

namespace keelson {
namespace {

struct Layout {
  std::u16string description = u"en-US English Keyboard";
  std::uint16_t descriptions = 1;
  std::optional<std::uint16_t> length{};
  std::optional<std::uint32_t> offset{};
  std::size_t keys = 3;  // bytes of descriptors of keys, in front of the description
};

std::vector<std::byte> bytes_of_layout(const Layout& in) {
  std::vector<std::byte> out(23 + in.keys, std::byte{0x55});
  const auto put = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    if (out.size() < at + size) out.resize(at + size);
    for (std::size_t i = 0; i < size; ++i) out[at + i] = static_cast<std::byte>(value >> (8 * i));
  };
  const std::size_t start = out.size();
  put(start, in.descriptions, 2);
  for (const char16_t unit : in.description) put(out.size(), unit, 2);
  put(out.size(), 0, 2);
  put(0, in.length.value_or(static_cast<std::uint16_t>(out.size())), 2);
  put(18, in.offset.value_or(static_cast<std::uint32_t>(start)), 4);
  return out;
}

TEST(KeyboardLayout, TheTagIsWhatStandsBeforeTheFirstSpace) {
  struct Row {
    Layout layout;
    const char* tag;  // nullptr: none
    const char* why;
  };
  const Row rows[] = {
      {{}, "en-US", ""},
      {{.description = u"de-DE Deutsch", .keys = 0}, "de-DE", "aligned otherwise"},
      {{.description = u"zh-Hant-TW x", .descriptions = 2}, "zh-Hant-TW", "the first of several"},
      {{.descriptions = 0}, nullptr, "no description"},
      {{.description = u"English"}, nullptr, "ends without a space"},
      {{.description = u" English"}, nullptr, "no tag before the space"},
      {{.description = u""}, nullptr, "nothing at all"},
      {{.description = u"en\x1b[31m x"}, nullptr, "an escape code is no tag"},
      {{.description = u"\xfc\x0161 x"}, nullptr, "letters of tags are ASCII"},
      {{.description = std::u16string(65, u'a') + u" x"}, nullptr, "longer than any tag"},
      {{.description = std::u16string(64, u'a') + u" x"},
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
       "as long as one may be"},
      {{.length = 30}, nullptr, "the length ends within the tag"},
      {{.length = 22}, nullptr, "the length ends within the header"},
      {{.length = 0}, nullptr, "no length"},
      {{.length = 0xffff}, nullptr, "longer than what was read"},
      {{.offset = 0xffff'fffe}, nullptr, "the description lies far outside"},
      {{.offset = 0}, nullptr, "the description is said to be the header"},
  };
  for (const Row& row : rows) {
    TextArena texts;
    const auto bytes = bytes_of_layout(row.layout);
    const auto tag = keyboard_language(bytes, texts);
    ASSERT_EQ(tag.has_value(), row.tag != nullptr) << row.why;
    if (tag.has_value()) EXPECT_EQ(utf8(*tag), row.tag) << row.why;
  }
}

TEST(KeyboardLayout, EveryBeginningOfOneIsRefused) {
  const auto bytes = bytes_of_layout({});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    TextArena texts;
    EXPECT_FALSE(keyboard_language(Bytes(bytes).first(size), texts).has_value()) << size;
  }
}

}  // namespace
}  // namespace keelson
