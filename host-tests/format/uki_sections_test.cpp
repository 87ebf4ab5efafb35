// SPDX-License-Identifier: MIT
//
// The table of UKI sections, pinned: PCR 11 of every machine depends on it (stub.md 1.1), and
// UAPI.5 lists another order. Also our identity texts.
#include "efi/format/uki_sections.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "efi/format/identity.h"
#include "efi/format/sbat.h"

namespace keelson {
namespace {

TEST(UkiSections, MeasuringOrderIsWhatSystemdMeasureComputes) {
  std::string order, unmeasured, many;
  for (const auto& entry : uki_sections) {
    (order += entry.name) += ' ';
    if (!entry.measured) (unmeasured += entry.name) += ' ';
    if (entry.many) (many += entry.name) += ' ';
  }
  EXPECT_EQ(order,
            ".linux .osrel .cmdline .initrd .ucode .splash .dtb .uname .sbat .pcrsig .pcrpkey "
            ".profile .dtbauto .hwids .efifw .linuxh .initrdh ");
  EXPECT_EQ(unmeasured, ".pcrsig .linuxh .initrdh ")
      << "a signature cannot cover itself; what is pinned is measured";
  EXPECT_EQ(many, ".dtbauto .efifw ");
}

TEST(UkiSections, FileOrderIsUkifys) {
  std::string order;
  std::set<UkiSection> seen;
  for (const UkiSection id : uki_file_order) {
    (order += row(id).name) += ' ';
    EXPECT_TRUE(seen.insert(id).second) << row(id).name;
  }
  EXPECT_EQ(order,
            ".osrel .cmdline .dtb .dtbauto .hwids .uname .splash .pcrpkey .linux .initrd .initrdh "
            ".linuxh .efifw .ucode .sbat .profile .pcrsig ");
  EXPECT_EQ(seen.size(), uki_sections.size());
}

TEST(UkiSections, AreFoundByName) {
  for (const auto& entry : uki_sections) {
    EXPECT_EQ(find_uki_section(entry.name), entry.id);
    EXPECT_EQ(row(entry.id).name, entry.name);
  }
  for (const std::string_view name : {"", ".linux2", ".Linux", "linux", ".linuxhh", ".sdmagic"})
    EXPECT_FALSE(find_uki_section(name).has_value()) << name;
}

TEST(Identity, MagicNamesTheProduct) {
  const auto product = [](const auto& magic) {
    return identity::product_of_sdmagic({magic.data(), magic.size()});
  };
  EXPECT_EQ(product(identity::boot_sdmagic), identity::boot_product);
  EXPECT_EQ(product(identity::stub_sdmagic), identity::stub_product);
  EXPECT_EQ(product(identity::addon_sdmagic), identity::addon_product);
  EXPECT_TRUE(identity::boot_product.ends_with(identity::version));
  EXPECT_EQ(identity::boot_sdmagic.back(), '#') << "no terminator";
  using namespace std::string_view_literals;
  EXPECT_EQ(identity::product_of_sdmagic("#### LoaderInfo: systemd-boot 257 ####\0\0"sv),
            "systemd-boot 257");
  for (const std::string_view bad :
       {""sv, "\0"sv, "#### LoaderInfo:  ####"sv.substr(1), "#### LoaderInfo: x"sv,
        "#### LoaderInfo: ###"sv, "x#### LoaderInfo: y ####"sv})
    EXPECT_EQ(identity::product_of_sdmagic(bad), "") << bad;
}

TEST(Identity, SbatTextsAreSoundAndSeparate) {
  std::set<std::string> components;
  for (const std::string_view text :
       {std::string_view(identity::boot_sbat.data(), identity::boot_sbat.size()),
        std::string_view(identity::stub_sbat.data(), identity::stub_sbat.size())}) {
    EXPECT_TRUE(sbat::check(text).has_value());
    EXPECT_TRUE(text.ends_with('\n'));
    sbat::Lines lines(text);
    EXPECT_EQ(lines.next(), sbat::first_line);
    const auto own = sbat::parse_line(*lines.next());
    ASSERT_TRUE(own.has_value());
    EXPECT_EQ(own->generation, 1u);
    components.insert(std::string(own->name));
    EXPECT_FALSE(lines.next().has_value());
  }
  EXPECT_EQ(components.size(), 2u) << "each program can be revoked alone";
}

}  // namespace
}  // namespace keelson
