// SPDX-License-Identifier: MIT
//
// Type #1 entry files (efi/format/loader_entry.h).
#include "efi/format/loader_entry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host-tests/recorded_diagnostics.h"
#include "host-tests/utf16.h"

namespace keelson {
namespace {

struct Read {
  TextArena arena;
  RecordedDiagnostics diagnostics;
  Result<LoaderEntry> entry;
  explicit Read(std::string_view text)
      : entry(parse_loader_entry(bytes_of(text), "x64", arena, diagnostics)) {}
};

TEST(LoaderEntry, EveryKey) {
  const Read read(
      "# made by hand\n"
      "title      Debian GNU/Linux\n"
      "version    6.1.0-18\n"
      "machine-id 4098b3f648d74c13b1f04ccfba7798e8\n"
      "sort-key   debian\n"
      "architecture X64\n"
      "linux      /debian/6.1.0-18/linux\n"
      "initrd     /debian/6.1.0-18/initrd\n"
      "options    root=/dev/sda1 quiet\n"
      "initrd     debian//ucode.img\n"
      "options    console=ttyS0\n"
      "profile    2\n");
  ASSERT_TRUE(read.entry.has_value());
  EXPECT_EQ(read.entry->kind, LoaderEntryKind::linux);
  EXPECT_EQ(read.entry->title, u"Debian GNU/Linux");
  EXPECT_EQ(read.entry->version, u"6.1.0-18");
  EXPECT_EQ(read.entry->machine_id, u"4098b3f648d74c13b1f04ccfba7798e8");
  EXPECT_EQ(read.entry->sort_key, u"debian");
  EXPECT_EQ(read.entry->architecture, u"X64");
  EXPECT_EQ(read.entry->executable.text(), u"\\debian\\6.1.0-18\\linux");
  ASSERT_EQ(read.entry->initrds.size(), 2u);
  EXPECT_EQ(read.entry->initrds[0].text(), u"\\debian\\6.1.0-18\\initrd");
  EXPECT_EQ(read.entry->initrds[1].text(), u"\\debian\\ucode.img");
  EXPECT_EQ(read.entry->options, u"root=/dev/sda1 quiet console=ttyS0");
  EXPECT_EQ(read.entry->profile, 2u);
  EXPECT_TRUE(read.diagnostics.messages.empty());
}

TEST(LoaderEntry, UsableOrNot) {
  struct Row {
    std::string_view text;
    std::optional<Errc> error;
    std::string_view reason;
  };
  const Row rows[] = {
      {"linux /l\n", std::nullopt, "enough"},
      {"efi /e.efi\n", std::nullopt, "another program"},
      {"uki /u.efi\n", std::nullopt, "unified image"},
      {"linux /a\nlinux /b\n", std::nullopt, "last wins"},
      {"linux /l\nfoo bar\nLINUX x\n", std::nullopt, "unknown keys"},
      {"linux /l\ninitrd\n", std::nullopt, "key without value"},
      {"linux /l\ninitrd /x/../y\nefi\n", Errc::malformed, "initrd with .."},
      {"", Errc::not_found, "empty"},
      {"title x\noptions y\n", Errc::not_found, "no executable"},
      {"\xEF\xBB\xBFlinux /l\n", Errc::not_found, "byte order mark spoils its line"},
      {"linux /l\nefi /e.efi\n", Errc::malformed, "two kinds"},
      {"efi /e.efi\nuki /u.efi\n", Errc::malformed, "two kinds"},
      {"linux /l\nuki-url http://h/u.efi\n", Errc::malformed, "two kinds"},
      {"uki-url http://h/u.efi\n", Errc::unsupported, "network"},
      {"architecture aa64\nlinux /l\n", Errc::unsupported, "another machine"},
      {"linux /l\narchitecture x64\n", std::nullopt, "this machine"},
      {"linux /l\narchitecture z80\narchitecture x64\n", Errc::unsupported, "parsing stops"},
      {"linux /a/../l\n", Errc::malformed, "parent directory"},
      {"linux C:\\l\n", Errc::malformed, "drive prefix"},
      {"linux /l/\n", Errc::malformed, "a directory"},
      {"linux /\xFFl\n", Errc::malformed, "path that is not UTF-8"},
      {"linux /\xC0\xAEl\n", Errc::malformed, "overlong form"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    const Read read(row.text);
    ASSERT_EQ(read.entry.has_value(), !row.error.has_value());
    if (row.error) EXPECT_EQ(read.entry.error().code, *row.error);
  }
}

TEST(LoaderEntry, Texts) {
  const Read read(
      "title a\ntitle \"b \xFF\xF0\x9F\x98\x80\"\nlinux /old\nlinux /new\n"
      "options x=\xFF"
      "1\noptions \"y=2\"\nprofile -1\n");
  ASSERT_TRUE(read.entry.has_value());
  EXPECT_EQ(read.entry->title, u"b \uFFFD\uFFFD") << "shown texts: U+FFFD";
  EXPECT_EQ(read.entry->executable.text(), u"\\new");
  EXPECT_EQ(read.entry->options, u"x=1 y=2") << "options: bad bytes are dropped";
  EXPECT_EQ(read.entry->options.data()[read.entry->options.size()], u'\0');
  EXPECT_EQ(read.entry->profile, 0u);
  EXPECT_EQ(read.diagnostics.count(Severity::warning), 1u);
}

TEST(LoaderEntry, InitrdsOnlyForLinux) {
  const Read read("efi /e.efi\ninitrd /i\n");
  ASSERT_TRUE(read.entry.has_value());
  EXPECT_TRUE(read.entry->initrds.empty());
}

TEST(LoaderEntry, KeysWithoutEffectAreSaid) {
  const Read read("linux /l\ndevicetree /a.dtb\ndevicetree-overlay /b.dtbo\nextra /c.cred\n");
  ASSERT_TRUE(read.entry.has_value());
  EXPECT_EQ(read.diagnostics.count(Severity::debug), 3u);
}

TEST(LoaderEntry, ManyInitrdsAndLongLines) {
  std::string text = "linux /l\n";
  for (int i = 0; i < 200; ++i) text += "initrd /i" + std::to_string(i) + "\n";
  text += "options " + std::string(1 << 20, 'x') + "\n";
  const Read read(text);
  ASSERT_TRUE(read.entry.has_value());
  ASSERT_EQ(read.entry->initrds.size(), 200u);
  EXPECT_EQ(read.entry->initrds[199].text(), u"\\i199");
  EXPECT_EQ(read.entry->options.size(), 1u << 20);
}

TEST(LoaderEntry, EveryPrefixParsesOrErrs) {
  const std::string text =
      "title A\r\nlinux /l\ninitrd /i\ninitrd /j\noptions \"a b\"\noptions c\narchitecture x64\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const Read read(std::string(text, 0, size));
    if (read.entry.has_value()) EXPECT_TRUE(read.entry->executable.text().starts_with(u'\\'));
  }
}

}  // namespace
}  // namespace keelson
