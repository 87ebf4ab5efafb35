// SPDX-License-Identifier: MIT
//
// Fields of os-release texts (efi/format/os_release.h).
#include "efi/format/os_release.h"

#include <gtest/gtest.h>

#include <string>

namespace keelson {
namespace {

TEST(OsRelease, ChoosesFields) {
  struct Row {
    std::string_view text, title, version, sort_key, reason;
  };
  const Row rows[] = {
      {"PRETTY_NAME=\"Debian 12\"\nNAME=Debian\nID=debian\nVERSION_ID=12\n", "Debian 12", "12",
       "debian", "a usual file"},
      {"PRETTY_NAME=p\nIMAGE_ID=i\nNAME=n\nID=d\nIMAGE_VERSION=1\nVERSION=2\nVERSION_ID=3\n"
       "BUILD_ID=4\n",
       "p", "1", "i", "the first of each"},
      {"IMAGE_ID=i\nNAME=n\nID=d\nVERSION=2\nVERSION_ID=3\nBUILD_ID=4\n", "i", "2", "i", "second"},
      {"NAME=n\nID=d\nVERSION_ID=3\nBUILD_ID=4\n", "n", "3", "d", "third"},
      {"ID=d\nBUILD_ID=4\n", "d", "4", "d", "last"},
      {"VERSION=1\n", "", "1", "", "no ID or NAME"},
      {"ID=a\nID=b\n", "b", "", "b", "last line wins"},
      {"ID=\nNAME=x\n", "x", "", "", "no value is no field"},
      {"id=a\n", "", "", "", "keys have a case"},
      {"NAME=\"x\nID='y\n", "\"x", "", "'y", "unbalanced quotes stay"},
      {"", "", "", "", "empty section"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    const auto release = parse_os_release(bytes_of(row.text));
    EXPECT_EQ(release.title(), row.title);
    EXPECT_EQ(release.version_text(), row.version);
    EXPECT_EQ(release.sort_key(), row.sort_key);
  }
}

TEST(OsRelease, ManyKeys) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "KEY" + std::to_string(i) + "=x\n";
  EXPECT_EQ(parse_os_release(bytes_of(text + "ID=last")).id, "last");
}

TEST(Profile, IdAndTitle) {
  const auto profile =
      parse_profile(bytes_of(std::string_view("ID=factory\nTITLE=\"Factory Reset\"\nNAME=x\n")));
  EXPECT_EQ(profile.id, "factory");
  EXPECT_EQ(profile.title, "Factory Reset");
  EXPECT_EQ(parse_profile({}).id, "");
}

}  // namespace
}  // namespace keelson
