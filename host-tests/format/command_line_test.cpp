// SPDX-License-Identifier: MIT
//
// Load options and which command line counts (efi/format/command_line.h).
#include "efi/format/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host-tests/utf16.h"

namespace keelson {
namespace {

using namespace std::string_view_literals;

TEST(LoadOptions, Reading) {
  struct Row {
    std::u16string_view options;
    std::uint32_t profile;
    std::u16string_view line;
    std::string_view reason;
  };
  const Row rows[] = {
      {u""sv, 0, u"", "none"},
      {u"\0"sv, 0, u"", "only the NUL"},
      {u"quiet\0"sv, 0, u"quiet", "usual"},
      {u"quiet"sv, 0, u"quiet", "a missing NUL is fine"},
      {u"quiet\0junk\x01"sv, 0, u"quiet", "what follows the NUL is not looked at"},
      {u"qui\tet\0"sv, 0, u"", "a tab makes it binary"},
      {u"@1 a\nb\0"sv, 0, u"", "so does a newline, selector included"},
      {u"\x04\x01\x2A quiet"sv, 0, u"", "a device path"},
      {u"  a  b \0"sv, 0, u"a  b", "normalised, runs are kept"},
      {u"a\x7F"
       u"b\x7F"sv,
       0, u"a b", "DEL is white space"},
      {u"@1\0"sv, 1, u"", "selector alone"},
      {u"@1 \0"sv, 1, u"", "selector and its space"},
      {u"@12 quiet\0"sv, 12, u"quiet", "selector and a line"},
      {u"@1  quiet\0"sv, 1, u"quiet", "one space belongs to it, normalising takes the other"},
      {u"@4294967295 x\0"sv, 4294967295u, u"x", "largest"},
      {u"@4294967296 x\0"sv, 0, u"@4294967296 x", "overflow"},
      {u"@007\0"sv, 7, u"", "leading zeros"},
      {u"@1foo\0"sv, 0, u"@1foo", "no selector"},
      {u"@\0"sv, 0, u"@", "no digits"},
      {u"@ x\0"sv, 0, u"@ x", "no digits"},
      {u"@-1\0"sv, 0, u"@-1", "sign"},
      {u" @1\0"sv, 0, u"@1", "leading space"},
      {u"@1 @2\0"sv, 1, u"@2", "only the first"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    TextArena arena;
    const auto request = parse_load_options(bytes_of(row.options), arena);
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->profile, row.profile);
    EXPECT_EQ(request->line, row.line);
  }
}

TEST(LoadOptions, OddAndUnaligned) {
  TextArena arena;
  const std::u16string text = u"quiet x";
  std::vector<std::byte> bytes(1 + text.size() * 2 + 1, std::byte{0x41});
  __builtin_memcpy(bytes.data() + 1, text.data(), text.size() * 2);
  const auto request = parse_load_options(std::span(bytes).subspan(1), arena);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->line, text) << "the odd byte is ignored";
  EXPECT_EQ(parse_load_options(std::span(bytes).first(1), arena)->line, u"");
}

TEST(ShellArguments, Reading) {
  struct Row {
    std::vector<std::u16string_view> arguments;
    std::uint32_t profile;
    std::u16string_view line;
    std::string_view reason;
  };
  const Row rows[] = {
      {{}, 0, u"", "nothing at all"},
      {{u"a.efi"}, 0, u"", "the name alone"},
      {{u"a.efi", u"x", u"y z"}, 0, u"x y z", "joined by one space"},
      {{u"a.efi", u"@3"}, 3, u"", "selector"},
      {{u"a.efi", u"@3", u"x"}, 3, u"x", "selector and a line"},
      {{u"a.efi", u"@3 x"}, 0, u"@3 x", "not exactly a selector"},
      {{u"a.efi", u"x", u"@3"}, 0, u"x @3", "not the first"},
      {{u"a.efi", u" x\t", u"y"}, 0, u" x\t y", "not normalised"},
      {{u"a.efi", u"", u"x", u""}, 0, u" x ", "empty arguments"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    TextArena arena;
    const auto request = parse_shell_arguments(row.arguments, arena);
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->profile, row.profile);
    EXPECT_EQ(request->line, row.line);
  }
}

TEST(Normalise, Utf8Sections) {
  struct Row {
    std::string_view section;
    std::u16string_view line;
    std::string_view reason;
  };
  const Row rows[] = {
      {"quiet\n", u"quiet", "newline at the end"},
      {"a\nb\tc\x7F"
       "d",
       u"a b c d", "inner white space"},
      {"a \n b", u"a   b", "runs are not collapsed"},
      {" \n\x01", u"", "only white space"},
      {"", u"", "empty"},
      {"a\0b"sv, u"a", "ends at NUL"},
      {"\xC3\xA4\xFF\xF0\x9F\x98\x80z", u"\u00E4z", "what UCS-2 cannot hold is dropped"},
      {"a\xED\xA0\x80"
       "b\xC3",
       u"ab", "surrogates and truncated sequences"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    TextArena arena;
    const auto line = normalise_utf8(bytes_of(row.section), arena);
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(*line, row.line);
    EXPECT_EQ(line->data()[line->size()], u'\0');
    const auto again = normalise(*line, arena);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, *line) << "idempotent";
  }
}

TEST(BaseLine, Table) {
  constexpr std::u16string_view passed = u"passed", embedded = u"embedded";
  // Every combination of Secure Boot, .cmdline, confidential VM and passed line.
  for (int bits = 0; bits < 16; ++bits) {
    const bool secure_boot = bits & 1, has_section = bits & 2, vm = bits & 4, given = bits & 8;
    SCOPED_TRACE(bits);
    LineFacts facts{.secure_boot = secure_boot, .confidential_vm = vm};
    if (has_section) facts.embedded = embedded;
    if (given) facts.passed = passed;
    const auto line = choose_base_line(facts);
    const bool takes_passed = given && (!secure_boot || (!has_section && !vm));
    EXPECT_EQ(line.text, takes_passed ? passed : has_section ? embedded : u""sv);
    EXPECT_EQ(line.measured, takes_passed);
    EXPECT_EQ(line.passed_ignored, given && !takes_passed);
  }
  const auto blank = choose_base_line({.secure_boot = true, .embedded = u"", .passed = passed});
  EXPECT_EQ(blank.text, u"") << "a .cmdline of white space is set";
  EXPECT_TRUE(blank.passed_ignored);
}

TEST(PassedOptions, Composition) {
  TextArena arena;
  const EspPath initrds[] = {EspPath::parse(u"/a", arena).value(),
                             EspPath::parse(u"/d/b", arena).value()};
  struct Row {
    PassedOptions passed;
    std::optional<std::u16string_view> line;
    std::string_view reason;
  };
  const Row rows[] = {
      {{.options = u"quiet"}, u"quiet", "options alone"},
      {{}, std::nullopt, "nothing: LoadOptions stay untouched"},
      {{.options = u"quiet", .implied = true}, std::nullopt, "the UKI has them itself"},
      {{.options = u"quiet", .implied = true, .profile = 2}, u"@2", "profile alone"},
      {{.options = u"quiet", .profile = 3}, u"@3 quiet", "profile and options"},
      {{.initrds = initrds, .options = u"quiet"}, u"initrd=\\a initrd=\\d\\b quiet", "initrds"},
      {{.initrds = initrds}, u"initrd=\\a initrd=\\d\\b", "initrds alone"},
      {{.initrds = initrds, .options = u"q", .profile = 4294967295u},
       u"@4294967295 initrd=\\a initrd=\\d\\b q",
       "all"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    const auto line = compose_load_options(row.passed, arena);
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(*line, row.line);
    if (*line) EXPECT_EQ((*line)->data()[(*line)->size()], u'\0');
  }
}

TEST(PassedOptions, StubReadsWhatTheLoaderPasses) {
  for (const std::uint32_t profile : {0u, 1u, 4294967295u})
    for (const auto options : {u""sv, u"quiet"sv, u"@5"sv, u"a  b"sv}) {
      TextArena arena;
      const auto line = compose_load_options({.options = options, .profile = profile}, arena);
      ASSERT_TRUE(line.has_value());
      if (!*line) continue;
      const auto request = parse_load_options(bytes_of(**line), arena);
      ASSERT_TRUE(request.has_value());
      if (profile == 0 && options == u"@5") continue;  // the user's own selector
      EXPECT_EQ(request->profile, profile);
      EXPECT_EQ(request->line, options);
    }
}

}  // namespace
}  // namespace keelson
