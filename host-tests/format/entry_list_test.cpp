// SPDX-License-Identifier: MIT
//
// Making, naming and ordering of entries (efi/format/entry_list.h).
#include "efi/format/entry_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "efi/format/os_release.h"
#include "host-tests/recorded_diagnostics.h"
#include "host-tests/utf16.h"

namespace keelson {
namespace {

// A list and short ways to fill it.
class EntryListTest : public testing::Test {
 protected:
  EntryList list;

  Result<> type1(std::u16string_view name, std::string_view text,
                 EntrySource source = EntrySource::esp) {
    RecordedDiagnostics diagnostics;
    const auto parsed = parse_loader_entry(bytes_of(text), "x64", list.arena(), diagnostics);
    if (!parsed.has_value()) return fail(parsed.error());
    return list.add_type1(source, name, *parsed);
  }
  Result<> type2(std::u16string_view name, std::string_view osrel, std::string_view profile = "",
                 std::uint32_t number = 0, std::string_view cmdline = "") {
    return list.add_type2(EntrySource::esp, name,
                          {bytes_of(osrel), bytes_of(cmdline), bytes_of(profile), number});
  }
  std::vector<std::string> ids() {
    std::vector<std::string> all;
    for (const Entry& entry : list.entries()) all.push_back(utf8(entry.id));
    return all;
  }
  std::vector<std::string> titles() {
    std::vector<std::string> all;
    for (const Entry& entry : list.entries()) all.push_back(utf8(entry.shown_title));
    return all;
  }
};

using Texts = std::vector<std::string>;

TEST(EntryFile, Names) {
  struct Row {
    std::u16string_view name;
    bool conf;
    std::string_view reason;
  };
  const Row rows[] = {
      {u"a.conf", true, "usual"},
      {u"A.CONF", true, "suffix of any case"},
      {u"a+3.conf", true, "counted"},
      {u".conf", false, "hidden"},
      {u".a.conf", false, "hidden"},
      {u"auto-x.conf", false, "reserved"},
      {u"AUTO-x.conf", false, "reserved in any case"},
      {u"autox.conf", true, "only with the dash"},
      {u"+3.conf", false, "a counter alone"},
      {u"a.conf~", false, "another suffix"},
      {u"a.efi", false, "the other suffix"},
      {u"conf", false, "no suffix"},
      {u"", false, "nothing"},
  };
  for (const auto& row : rows) EXPECT_EQ(is_entry_file(row.name, u".conf"), row.conf) << row.reason;
}

TEST_F(EntryListTest, Type1) {
  ASSERT_TRUE(type1(u"Debian-6.1+3-1.Conf",
                    "title Debian\x1B[31m\nlinux /l\ninitrd /i\noptions quiet\n",
                    EntrySource::xbootldr)
                  .has_value());
  const Entry& entry = list.entries()[0];
  EXPECT_EQ(entry.kind, EntryKind::linux);
  EXPECT_EQ(entry.source, EntrySource::xbootldr);
  EXPECT_EQ(entry.id, u"debian-6.1.conf");
  EXPECT_EQ(entry.title, u"Debian\x1B[31m");
  EXPECT_EQ(entry.shown_title, u"Debian\uFFFD[31m") << "no escape codes on the screen";
  EXPECT_EQ(entry.file.text(), u"\\loader\\entries\\Debian-6.1+3-1.Conf");
  EXPECT_EQ(entry.executable.text(), u"\\l");
  EXPECT_EQ(entry.options, u"quiet");
  EXPECT_FALSE(entry.options_implied);
  ASSERT_TRUE(entry.count.has_value());
  EXPECT_EQ(entry.count->tries_left, 3u);
  EXPECT_TRUE(entry.counts_boots());
  EXPECT_TRUE(entry.may_start_by_itself());

  ASSERT_TRUE(type1(u"x.conf", "efi /e.efi\n").has_value());
  EXPECT_EQ(list.entries()[1].shown_title, u"x.conf") << "without title the id is shown";
  ASSERT_TRUE(type1(u"y+1.conf", "efi /e.efi\n").has_value());
  EXPECT_FALSE(list.entries()[2].counts_boots()) << "counters of efi programs are not touched";
  ASSERT_TRUE(type1(u"z.conf", "uki /e.efi\nprofile 2\n").has_value());
  EXPECT_FALSE(list.entries()[3].may_start_by_itself());
  EXPECT_FALSE(type1(u"a:b.conf", "linux /l\n").has_value());
}

TEST_F(EntryListTest, Type2NamesOfProfiles) {
  constexpr std::string_view osrel = "PRETTY_NAME=T\nID=d\nVERSION_ID=1\n";
  struct Row {
    std::string_view profile;
    std::uint32_t number;
    std::u16string_view id, alias, title;
    std::string_view reason;
  };
  const Row rows[] = {
      {"", 0, u"file.efi", u"", u"T", "no profiles"},
      {"TITLE=Main\n", 0, u"file.efi", u"", u"T (Main)", "first, with title"},
      {"ID=Main\n", 0, u"file.efi", u"file.efi@main", u"T", "first, with bootctl's id beside ours"},
      {"ID=Reset\nTITLE=Factory reset\n", 1, u"file.efi@reset", u"", u"T (Factory reset)", "both"},
      {"ID=Reset\n", 1, u"file.efi@reset", u"", u"T (Reset)", "id only"},
      {"TITLE=X\n", 2, u"file.efi@2", u"", u"T (X)", "title only"},
      {"\n", 2, u"file.efi@2", u"", u"T (Profile #3)", "nothing"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    ASSERT_TRUE(type2(u"File+3.EFI", osrel, row.profile, row.number).has_value());
    const Entry& entry = list.entries().back();
    EXPECT_EQ(entry.id, row.id);
    EXPECT_EQ(entry.alias, row.alias);
    EXPECT_EQ(entry.title, row.title);
    EXPECT_EQ(entry.base_id, u"file.efi");
    EXPECT_EQ(entry.profile, row.number);
    EXPECT_EQ(entry.may_start_by_itself(), row.number == 0);
    EXPECT_EQ(entry.executable.text(), u"\\EFI\\Linux\\File+3.EFI");
  }
}

TEST_F(EntryListTest, Type2Texts) {
  ASSERT_TRUE(type2(u"a.efi", "NAME=N\nIMAGE_ID=img\nID=d\nIMAGE_VERSION=7\n", "", 0,
                    " root=/dev/sda\n\tquiet\n")
                  .has_value());
  const Entry& entry = list.entries()[0];
  EXPECT_EQ(entry.title, u"img");
  EXPECT_EQ(entry.version, u"7");
  EXPECT_EQ(entry.sort_key, u"img");
  EXPECT_TRUE(entry.machine_id.empty());
  EXPECT_EQ(entry.options, u"root=/dev/sda  quiet");
  EXPECT_TRUE(entry.options_implied);

  EXPECT_EQ(type2(u"b.efi", "").error().code, Errc::not_found);
  EXPECT_EQ(type2(u"b.efi", "VERSION=1\n").error().code, Errc::not_found);
  EXPECT_EQ(type2(u"b.efi", std::string(max_os_release_size + 1, 'x')).error().code,
            Errc::unsupported);
  EXPECT_EQ(type2(u"b.efi", "ID=d", "", 0, std::string(max_cmdline_size + 1, 'x')).error().code,
            Errc::unsupported);
  EXPECT_EQ(list.size(), 1u);
}

TEST_F(EntryListTest, OrderStepByStep) {
  struct Row {
    Texts names;  // in the expected order
    Texts files;  // their contents, beside "linux /l"
    std::string_view reason;
  };
  const Row rows[] = {
      {{"a.conf", "z+0-3.conf"}, {"", "sort-key a\n"}, "bad ones last, whatever else"},
      {{"a.conf", "z.conf"}, {"sort-key x\n", ""}, "with sort key first"},
      {{"a.conf", "z.conf"}, {"sort-key A\n", "sort-key a\n"}, "sort keys by code"},
      {{"a.conf", "z.conf"},
       {"sort-key a\n", "sort-key a\nmachine-id 1\n"},
       "without machine id first"},
      {{"a.conf", "z.conf"},
       {"sort-key a\nversion 10\n", "sort-key a\nversion 9\n"},
       "newer version first"},
      {{"a.conf", "z.conf"}, {"sort-key a\nversion 0\n", "sort-key a\n"}, "no version is oldest"},
      {{"a.conf", "z.conf"}, {"sort-key a\n", "sort-key a\nprofile 1\n"}, "lower profile first"},
      {{"z.conf", "a.conf"}, {"sort-key a\n", "sort-key a\n"}, "then the newer id"},
      {{"z.conf", "a.conf"}, {"version 1\n", "version 2\n"}, "versions need a sort key"},
      {{"linux-6.10.conf", "linux-6.9.conf"}, {"", ""}, "ids as versions"},
      {{"arch.conf", "arch-fallback.conf"}, {"", ""}, "suffixes take part"},
      {{"a.conf", "a+3.conf"}, {"", ""}, "no counter is infinitely many tries"},
      {{"a+3.conf", "a+2.conf"}, {"", ""}, "more tries left first"},
      {{"a+3-1.conf", "a+3-2.conf"}, {"", ""}, "fewer done first"},
      {{"a+0-1.conf", "a+0-2.conf"}, {"", ""}, "also among bad ones"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    for (const bool reversed : {false, true}) {
      list = EntryList();
      for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t at = reversed ? 1 - i : i;
        ASSERT_TRUE(type1(utf16(row.names[at]), "linux /l\n" + row.files[at]).has_value());
      }
      ASSERT_TRUE(list.sort().has_value());
      EXPECT_EQ(utf8(list.entries()[0].file.file_name()), row.names[0]);
      EXPECT_EQ(utf8(list.entries()[1].file.file_name()), row.names[1]);
    }
  }
}

TEST_F(EntryListTest, ProfilesStayTogether) {
  for (const std::uint32_t number : {2u, 0u, 1u})
    for (const auto name : {u"a-1.efi", u"a-2.efi"})
      ASSERT_TRUE(type2(name, "NAME=N\n", "\n", number).has_value());
  ASSERT_TRUE(list.sort().has_value());
  EXPECT_EQ(ids(),
            (Texts{"a-2.efi", "a-2.efi@1", "a-2.efi@2", "a-1.efi", "a-1.efi@1", "a-1.efi@2"}));
}

TEST_F(EntryListTest, EqualEntriesStayInScanOrder) {
  ASSERT_TRUE(type1(u"same.conf", "linux /esp\n").has_value());
  ASSERT_TRUE(type1(u"same.conf", "linux /xbootldr\n", EntrySource::xbootldr).has_value());
  ASSERT_TRUE(list.sort().has_value());
  EXPECT_EQ(list.entries()[0].source, EntrySource::esp);
  EXPECT_EQ(list.entries()[1].source, EntrySource::xbootldr);
}

TEST_F(EntryListTest, OrderIsStrictWeak) {
  std::mt19937 random(3);
  const auto pick = [&](std::initializer_list<const char*> from) {
    return std::string(*(from.begin() + static_cast<std::ptrdiff_t>(random() % from.size())));
  };
  for (int i = 0; i < 70; ++i) {
    if (random() % 3 == 0) {
      ASSERT_TRUE(type2(utf16(pick({"a", "a-1", "b"}) + pick({"", "+1", "+0-1"}) + ".efi"),
                        "NAME=N\n" + pick({"", "ID=k\n"}) + pick({"", "VERSION=1\n"}),
                        pick({"", "ID=p\n"}), random() % 3)
                      .has_value());
    } else {
      ASSERT_TRUE(
          type1(utf16(pick({"a", "a-1", "b"}) + pick({"", "+1", "+1-1", "+0", "+0-1"}) + ".conf"),
                "linux /l\n" + pick({"", "sort-key k\n", "sort-key l\n"}) +
                    pick({"", "machine-id 1\n"}) + pick({"", "version 1\n", "version 2\n"}) +
                    pick({"", "profile 1\n"}))
              .has_value());
    }
  }
  const auto entries = list.entries();
  for (const Entry& a : entries)
    for (const Entry& b : entries) {
      const auto ab = compare_entries(a, b);
      ASSERT_TRUE(compare_entries(b, a) == (0 <=> ab));
      if (ab > 0) continue;
      for (const Entry& c : entries) {
        const auto bc = compare_entries(b, c);
        if (bc > 0) continue;
        ASSERT_TRUE(ab == 0 && bc == 0 ? compare_entries(a, c) == 0 : compare_entries(a, c) < 0);
      }
    }
}

TEST_F(EntryListTest, TitlesBecomeUnique) {
  ASSERT_TRUE(type1(u"a.conf", "title T\nlinux /l\nversion 1\n").has_value());
  ASSERT_TRUE(
      type1(u"b.conf", "title T\nlinux /l\nversion 2\nmachine-id 0123456789\n").has_value());
  ASSERT_TRUE(
      type1(u"c.conf", "title T\nlinux /l\nversion 2\nmachine-id abcdef0123\n").has_value());
  ASSERT_TRUE(
      type1(u"d.conf", "title T\nlinux /l\nversion 3\nmachine-id 0123456789\n").has_value());
  ASSERT_TRUE(
      type1(u"e.conf", "title T\nlinux /l\nversion 3\nmachine-id 0123456780\n").has_value());
  ASSERT_TRUE(type1(u"f.conf", "title T\nlinux /l\n").has_value());
  ASSERT_TRUE(type1(u"g.conf", "title U\nlinux /l\nversion 1\n").has_value());
  ASSERT_TRUE(list.make_titles_unique().has_value());
  EXPECT_EQ(titles(), (Texts{"T (1)", "T (2) (01234567)", "T (2) (abcdef01)",
                             "T (3) (01234567) (d.conf)", "T (3) (01234567) (e.conf)", "T", "U"}));
}

TEST_F(EntryListTest, ActionsComeLast) {
  ASSERT_TRUE(type1(u"a.conf", "linux /l\n").has_value());
  ASSERT_TRUE(list.sort().has_value());
  for (const auto kind : {EntryKind::reboot_to_firmware, EntryKind::power_off, EntryKind::reboot})
    ASSERT_TRUE(list.add_action(kind).has_value());
  EXPECT_EQ(ids(),
            (Texts{"a.conf", "auto-reboot-to-firmware-setup", "auto-poweroff", "auto-reboot"}));
  EXPECT_EQ(titles(), (Texts{"a.conf", "Reboot Into Firmware Interface", "Power Off The System",
                             "Reboot The System"}));
  EXPECT_FALSE(list.entries()[1].may_start_by_itself());
}

TEST_F(EntryListTest, TwoThousandEntries) {
  for (int i = 0; i < 2000; ++i) {
    const auto name = utf16("linux-6." + std::to_string((i * 7919) % 2000) + ".conf");
    ASSERT_TRUE(type1(name, "title Linux\nlinux /l\n").has_value());
  }
  ASSERT_TRUE(list.sort().has_value());
  ASSERT_TRUE(list.make_titles_unique().has_value());
  EXPECT_EQ(utf8(list.entries()[0].id), "linux-6.1999.conf");
  EXPECT_EQ(utf8(list.entries()[1999].id), "linux-6.0.conf");
  EXPECT_EQ(utf8(list.entries()[7].shown_title), "Linux (linux-6.1992.conf)");
}

}  // namespace
}  // namespace keelson
