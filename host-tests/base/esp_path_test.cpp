// SPDX-License-Identifier: MIT
//
// Normalising and refusing of paths (efi/base/esp_path.h).
#include "efi/base/esp_path.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace keelson {
namespace {

TEST(EspPath, NormalisesOrRefuses) {
  struct Row {
    std::string_view given;
    std::optional<std::u16string_view> path;  // nullopt: malformed
    std::string_view reason;
  };
  constexpr auto none = std::nullopt;
  const Row rows[] = {
      {"\\EFI\\Linux\\a.efi", u"\\EFI\\Linux\\a.efi", "normal form"},
      {"/EFI/Linux/a.efi", u"\\EFI\\Linux\\a.efi", "slashes"},
      {"EFI/a.efi", u"\\EFI\\a.efi", "leading separator is optional"},
      {"//EFI\\//\\a.efi", u"\\EFI\\a.efi", "runs collapse"},
      {"/a b+3-1.efi", u"\\a b+3-1.efi", "blanks and plus signs are allowed"},
      {"/..a/.b/c..", u"\\..a\\.b\\c..", "dots inside components"},
      {"/\xC3\xA4.efi", u"\\\u00E4.efi", "UTF-8"},
      {"", none, "empty"},
      {"/", none, "a directory"},
      {"/EFI/", none, "ends in a separator"},
      {"/EFI/../a.efi", none, "parent"},
      {"..", none, "parent alone"},
      {"/EFI/./a.efi", none, "itself"},
      {"C:\\a.efi", none, "drive prefix"},
      {"/EFI/a*.efi", none, "FAT has no such name"},
      {"/a\x01.efi", none, "control character"},
      {std::string_view("/a\0b", 4), none, "NUL"},
      {"/\xFF.efi", none, "not UTF-8"},
      {"/\xC0\xAF.efi", none, "overlong separator"},
      {"/\xF0\x9F\x98\x80.efi", none, "above U+FFFF"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    TextArena arena;
    const auto path = EspPath::parse(row.given, arena);
    ASSERT_EQ(path.has_value(), row.path.has_value());
    if (!path.has_value()) {
      EXPECT_EQ(path.error().code, Errc::malformed);
      continue;
    }
    EXPECT_EQ(path->text(), *row.path);
    EXPECT_EQ(path->text().data()[path->text().size()], u'\0');
    const auto again = EspPath::parse(path->text(), arena);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->text(), path->text()) << "normalising twice changes nothing";
  }
}

TEST(EspPath, RefusesExcessiveLength) {
  TextArena arena;
  EXPECT_TRUE(EspPath::parse(std::string(EspPath::max_length - 1, 'a'), arena).has_value());
  EXPECT_FALSE(EspPath::parse(std::string(EspPath::max_length, 'a'), arena).has_value());
  EXPECT_FALSE(EspPath::parse(std::string(1 << 20, 'a'), arena).has_value());
}

TEST(EspPath, JoinsAndSplits) {
  TextArena arena;
  const auto path = EspPath::join(u"\\loader\\entries", u"a.conf", arena);
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->text(), u"\\loader\\entries\\a.conf");
  EXPECT_EQ(path->file_name(), u"a.conf");
  EXPECT_EQ(path->directory(), u"\\loader\\entries");
  EXPECT_FALSE(EspPath::join(u"\\loader", u"", arena).has_value());
  EXPECT_FALSE(EspPath::join(u"\\loader", u"..", arena).has_value());
  EXPECT_FALSE(EspPath::join(u"\\loader", u"a\\b", arena).has_value());
  EXPECT_FALSE(EspPath::join(u"\\loader", u"a/b", arena).has_value());

  const auto in_root = EspPath::parse(u"shellx64.efi", arena);
  ASSERT_TRUE(in_root.has_value());
  EXPECT_EQ(in_root->directory(), u"");
  const auto other_case = EspPath::parse(u"\\LOADER\\entries\\A.conf", arena);
  ASSERT_TRUE(other_case.has_value());
  EXPECT_TRUE(*path == *other_case);
  EXPECT_FALSE(*path == *in_root);
}

}  // namespace
}  // namespace keelson
