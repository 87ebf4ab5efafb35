// SPDX-License-Identifier: MIT
//
// Names beside a UKI: what they are, which are refused, in which order, and where they lie.
#include "efi/format/companion_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "host-tests/utf16.h"

namespace keelson {
namespace {

TEST(CompanionNames, KindBySuffix) {
  constexpr auto none = std::nullopt;
  struct Row {
    std::u16string_view name;
    std::optional<CompanionKind> kind;
    const char* why;
  };
  const Row rows[] = {
      {u"a.addon.efi", CompanionKind::addon, ""},
      {u"a.AdDoN.eFI", CompanionKind::addon, "FAT does not distinguish case"},
      {u"a.efi", none, "an image beside the image is no add-on"},
      {u"addon.efi", none, "the dot before addon is part of the suffix"},
      {u"a.addon.efi.bak", none, "not at the end"},
      {u"a.cred", CompanionKind::credential, ""},
      {u"A.CRED", CompanionKind::credential, ""},
      {u"a.cred.txt", none, ""},
      {u"acred", none, ""},
      {u"a.raw", CompanionKind::system_extension, ""},
      {u"a.sysext.raw", CompanionKind::system_extension, ""},
      {u"a.confext.raw", CompanionKind::configuration_extension, ""},
      {u"a.ConfExt.RAW", CompanionKind::configuration_extension, "of either case"},
      {u"confext.raw", CompanionKind::system_extension, "without the dot it is only *.raw"},
      {u"a.confext.raw.raw", CompanionKind::system_extension, "the end counts"},
      {u"", none, ""},
      {u"README", none, ""},
  };
  for (const Row& row : rows)
    EXPECT_EQ(companion_kind(row.name), row.kind) << utf8(row.name) << ": " << row.why;
}

TEST(CompanionNames, HostileNamesAreRefused) {
  struct Row {
    std::u16string name;
    bool good;
    const char* why;
  };
  const Row rows[] = {
      {u"a.cred", true, ""},
      {u"a b.cred", true, "blanks are printable"},
      {u"~!@#$%^&()_+-={}[];',.cred", true, "as are these"},
      {std::u16string(250, u'a') + u".cred", true, "255 characters"},
      {std::u16string(251, u'a') + u".cred", false, "256 characters"},
      {u"", false, "no name"},
      {u".cred", false, "the suffix alone begins with a dot"},
      {u".", false, "a directory"},
      {u"..", false, "the parent directory"},
      {u".hidden.cred", false, "a leading dot"},
      {u"a/b.cred", false, "a separator of archives"},
      {u"../../etc/passwd.cred", false, "a way out of the archive's directory"},
      {u"a\\b.cred", false, "a separator of volumes"},
      {u"a\nb.cred", false, "a control character"},
      {u"a\x1b[31m.cred", false, "an escape code"},
      {u"a\x7f.cred", false, "DEL"},
      {u"ä.cred", false, "not ASCII"},
      {u"a\x0161.cred", false, "not ASCII, although its low byte is"},
      {u"a\xd800.cred", false, "half a character"},
      {u"a\x202e.cred", false, "turns the text around"},
      {std::u16string(u"a\0b.cred", 8), false, "a NUL"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(check_companion_name(row.name).has_value(), row.good) << row.why;
    TextArena arena;
    const auto ascii = ascii_companion_name(row.name, arena);
    ASSERT_EQ(ascii.has_value(), row.good) << row.why;
    if (row.good) {
      EXPECT_EQ(std::u16string(ascii->begin(), ascii->end()), row.name);
    } else {
      EXPECT_EQ(ascii.error().code, Errc::malformed) << row.why;
    }
  }
}

TEST(CompanionNames, OrderIsThatOfUnits) {
  std::vector<std::u16string_view> names = {u"b", u"a", u"B", u"a.1", u"A", u"_", u"10", u"9"};
  std::ranges::sort(names, companion_precedes);
  const std::vector<std::u16string_view> expected = {u"10", u"9", u"A",   u"B",
                                                     u"_",  u"a", u"a.1", u"b"};
  EXPECT_EQ(names, expected);
}

TEST(CompanionNames, DirectoryOfAnImage) {
  struct Row {
    std::u16string_view image, directory;
    const char* why;
  };
  const Row rows[] = {
      {u"\\EFI\\Linux\\foo.efi", u"\\EFI\\Linux\\foo.efi.extra.d", ""},
      {u"\\EFI\\Linux\\foo+3-0.efi", u"\\EFI\\Linux\\foo.efi.extra.d", "the counter goes"},
      {u"\\EFI\\Linux\\foo+3.efi", u"\\EFI\\Linux\\foo.efi.extra.d", "tries left alone"},
      {u"\\EFI\\Linux\\foo+003-010.efi", u"\\EFI\\Linux\\foo.efi.extra.d", "leading zeros"},
      {u"\\foo+3", u"\\foo.extra.d", "before the end"},
      {u"\\foo+3-1", u"\\foo.extra.d", "before the end"},
      {u"\\foo+.efi", u"\\foo+.efi.extra.d", "no number"},
      {u"\\foo+", u"\\foo+.extra.d", "nothing behind it"},
      {u"\\foo+3-.efi", u"\\foo+3-.efi.extra.d", "no second number"},
      {u"\\foo+3-x.efi", u"\\foo+3-x.efi.extra.d", "no second number"},
      {u"\\foo+3x.efi", u"\\foo+3x.efi.extra.d", "goes on after the number"},
      {u"\\foo+3-1-2.efi", u"\\foo+3-1-2.efi.extra.d", "goes on after both numbers"},
      {u"\\foo+-3.efi", u"\\foo+-3.efi.extra.d", "a sign is no digit"},
      {u"\\a+b+3.efi", u"\\a+b+3.efi.extra.d", "only the first + is looked at"},
      {u"\\a+b\\foo+3.efi", u"\\a+b\\foo+3.efi.extra.d", "also if it is in a directory"},
      {u"\\a+3.d\\foo.efi", u"\\a.d\\foo.efi.extra.d", "also if it is in a directory"},
      {u"\\foo+18446744073709551615.efi", u"\\foo.efi.extra.d", "2^64 - 1"},
      {u"\\foo+18446744073709551616.efi", u"\\foo+18446744073709551616.efi.extra.d",
       "no number any more"},
      {u"/EFI//Linux/foo.efi", u"\\EFI\\Linux\\foo.efi.extra.d", "slashes, doubled"},
      {u"\\EFI\\\\/\\Linux\\foo.efi", u"\\EFI\\Linux\\foo.efi.extra.d", "runs"},
      {u"foo.efi", u"\\foo.efi.extra.d", "not absolute"},
      {u"\\", u"\\.extra.d", "no file at all: there will be no such directory"},
  };
  for (const Row& row : rows) {
    TextArena arena;
    const auto directory = companion_directory(row.image, arena);
    ASSERT_TRUE(directory.has_value()) << row.why;
    EXPECT_EQ(utf8(*directory), utf8(row.directory)) << row.why;
    EXPECT_EQ(directory->data()[directory->size()], u'\0') << row.why;
  }
  TextArena arena;
  const auto none = companion_directory(u"", arena);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::not_found);
}

}  // namespace
}  // namespace keelson
