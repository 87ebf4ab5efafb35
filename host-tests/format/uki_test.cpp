// SPDX-License-Identifier: MIT
//
// Effective sections of UKIs (stub.md 1.3): base, overlay, masking, first wins; in files, in loaded
// images, and of headers alone.
#include "efi/format/uki.h"

#include <gtest/gtest.h>

#include "host-tests/format/sample_pe.h"

namespace keelson {
namespace {

using sample::Buffer;

sample::Pe pe_of(std::vector<sample::Section> sections) {
  sample::Pe pe;
  pe.sections = std::move(sections);
  return pe;
}

std::string content(const uki::Uki& uki, const uki::Effective& sections, UkiSection id) {
  const auto data = uki.data(sections, id);
  if (!data.has_value()) return "(" + std::string(data.error().what) + ")";
  return std::string(text_of(data->stored)) + std::string(data->zeros, '\0');
}

sample::Section empty(std::string name) { return {.name = std::move(name), .content = ""}; }

sample::Pe three_profiles() {
  return pe_of({{".text", "code"},
                {".osrel", "base-osrel"},
                {".osrel", "second osrel is not seen"},
                {".cmdline", "base-line"},
                {".linux", "kernel"},
                {".initrd", "base-initrd"},
                {".dtbauto", "dtb-base"},
                {".hwids", "hwids-base"},
                {".profile", "ID=zero"},
                {".pcrsig", "sig-zero"},
                {".profile", "ID=one"},
                {".cmdline", "one-line"},
                {".cmdline", "one-line-again"},
                {".dtbauto", "dtb-one-a"},
                {".dtbauto", "dtb-one-b"},
                {".profile", "ID=two"},
                empty(".initrd"),
                {".initrd", "behind an empty one"},
                {".osrel", "two-osrel"}});
}

TEST(Uki, EffectiveSectionsOfEachProfile) {
  struct Row {
    std::uint64_t profile;
    UkiSection id;
    std::string content;
    std::string_view reason;
  };
  const Row rows[] = {
      {0, UkiSection::osrel, "base-osrel", "first of the base wins"},
      {0, UkiSection::cmdline, "base-line", "base"},
      {0, UkiSection::profile, "ID=zero", "starts the range"},
      {0, UkiSection::pcrsig, "sig-zero", "in the range"},
      {1, UkiSection::profile, "ID=one", "its own"},
      {1, UkiSection::cmdline, "one-line", "overlaid; first of the profile wins"},
      {1, UkiSection::osrel, "base-osrel", "inherited"},
      {1, UkiSection::pcrsig, "", "other profiles do not count"},
      {1, UkiSection::initrd, "base-initrd", "inherited"},
      {2, UkiSection::initrd, "", "masked by an empty section, the first in the profile"},
      {2, UkiSection::osrel, "two-osrel", "overlaid"},
      {2, UkiSection::cmdline, "base-line", "profile 1 does not leak into 2"},
      {2, UkiSection::kernel, "kernel", "inherited"},
      {2, UkiSection::splash, "", "nowhere"},
  };
  const Buffer file = sample::make(three_profiles());
  const Buffer memory = sample::load(file);
  const auto in_file = uki::Uki::parse(file, pe::Layout::file);
  const auto loaded = uki::Uki::parse(memory, pe::Layout::loaded);
  ASSERT_TRUE(in_file.has_value() && loaded.has_value());
  for (const Row& row : rows) {
    for (const uki::Uki* uki : {&*in_file, &*loaded}) {
      const auto range = uki->profile(row.profile);
      ASSERT_TRUE(range.has_value());
      EXPECT_EQ(content(*uki, uki->effective(*range), row.id), row.content) << row.reason;
      EXPECT_EQ(uki->find(uki->effective(*range), row.id).has_value(), !row.content.empty());
    }
  }
  EXPECT_EQ(in_file->profile(3).error().code, Errc::not_found);
  EXPECT_EQ(in_file->profile(UINT64_MAX).error().code, Errc::not_found);
  EXPECT_EQ(in_file->listed_profiles(), 3u);
  EXPECT_EQ(content(*in_file, in_file->effective_base(), UkiSection::profile), "");
}

TEST(Uki, WithoutProfilesThereIsNumberZero) {
  const Buffer file = sample::make(pe_of({{".linux", "kernel"}, {".osrel", "os"}}));
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  ASSERT_TRUE(uki.has_value());
  EXPECT_FALSE(uki->has_profiles());
  EXPECT_EQ(uki->listed_profiles(), 1u);
  ASSERT_TRUE(uki->profile(0).has_value());
  EXPECT_EQ(content(*uki, uki->effective(*uki->profile(0)), UkiSection::osrel), "os");
  EXPECT_EQ(uki->profile(1).error().code, Errc::not_found);
  EXPECT_FALSE(uki->next_profile(uki->base()).has_value());
}

TEST(Uki, BaseSectionThatIsEmptyDoesNotCount) {
  const Buffer file = sample::make(pe_of({empty(".cmdline"), {".cmdline", "later"}}));
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  ASSERT_TRUE(uki.has_value());
  EXPECT_EQ(content(*uki, uki->effective_base(), UkiSection::cmdline), "");
}

TEST(Uki, SectionsThatRepeatAreNotEffective) {
  const Buffer file = sample::make(three_profiles());
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  ASSERT_TRUE(uki.has_value());
  EXPECT_FALSE(uki->effective(*uki->profile(1)).index(UkiSection::dtbauto).has_value());
}

TEST(Uki, ASelectedCandidateCounts) {
  const Buffer file = sample::make(pe_of(
      {{".linux", "kernel"}, {".dtbauto", "first"}, {".dtbauto", "second"}, {".dtb", "tree"}}));
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  ASSERT_TRUE(uki.has_value());
  uki::Effective sections = uki->effective_base();
  sections.select(UkiSection::dtbauto, 2);
  EXPECT_EQ(content(*uki, sections, UkiSection::dtbauto), "second");
  EXPECT_EQ(content(*uki, sections, UkiSection::dtb), "tree") << "measured too, as in systemd";
}

TEST(Uki, ProfilesAreListedUpToTheLimit) {
  std::vector<sample::Section> sections = {{".osrel", "os"}};
  for (int i = 0; i < 300; ++i) sections.push_back({".profile", "ID=" + std::to_string(i)});
  const Buffer file = sample::make(pe_of(std::move(sections)));
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  ASSERT_TRUE(uki.has_value());
  EXPECT_EQ(uki->listed_profiles(), 256u);
  ASSERT_TRUE(uki->profile(299).has_value()) << "the stub has no limit";
  EXPECT_EQ(content(*uki, uki->effective(*uki->profile(299)), UkiSection::profile), "ID=299");
  std::size_t walked = 0;
  for (auto range = uki->next_profile(uki->base()); range; range = uki->next_profile(*range)) {
    EXPECT_EQ(content(*uki, uki->effective(*range), UkiSection::profile),
              "ID=" + std::to_string(walked));
    ++walked;
  }
  EXPECT_EQ(walked, 300u);
}

TEST(Uki, OverlappingSectionsAreRefused) {
  sample::Pe pe = pe_of({{".linux", std::string(0x2000, 'k')}, {".cmdline", "line"}});
  pe.sections[1].virtual_address = 0x2000;
  EXPECT_FALSE(uki::Uki::parse(sample::make(pe), pe::Layout::file).has_value());
}

TEST(Uki, ListNeedsTheHeadersAndNamesTheTextsToRead) {
  const Buffer file = sample::make(three_profiles());
  const auto size = pe::headers_size(Bytes(file).first(0x200));
  ASSERT_TRUE(size.has_value());
  const Buffer headers(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(*size));
  const auto uki = uki::Uki::parse(headers, pe::Layout::file);
  ASSERT_TRUE(uki.has_value()) << uki.error().what;
  const auto texts = uki::list_texts(*uki, uki->effective(*uki->profile(1)));
  ASSERT_TRUE(texts.has_value());
  const auto read = [&](uki::TextRange range) {
    return std::string(text_of(*slice(file, range.offset, range.size, "")));
  };
  EXPECT_EQ(read(texts->osrel), "base-osrel");
  EXPECT_EQ(read(texts->profile), "ID=one");
  EXPECT_EQ(read(texts->cmdline), "one-line");
  EXPECT_EQ(uki->data(uki->effective_base(), UkiSection::osrel).error().code, Errc::truncated);

  const auto base = uki::list_texts(*uki, uki->effective_base());
  ASSERT_TRUE(base.has_value());
  EXPECT_EQ(base->profile.size, 0u);
}

TEST(Uki, ListRefusesTextsOverTheLimit) {
  for (const std::size_t size : {std::size_t{64_KiB}, std::size_t{64_KiB + 1}}) {
    const Buffer file =
        sample::make(pe_of({{".osrel", std::string(size, 'o')}, {".linux", "kernel"}}));
    const auto uki = uki::Uki::parse(file, pe::Layout::file);
    ASSERT_TRUE(uki.has_value());
    EXPECT_EQ(uki::list_texts(*uki, uki->effective_base()).has_value(), size == 64_KiB);
  }
  sample::Pe pe = pe_of({{".osrel", "os"}, {".linux", "kernel"}});
  pe.sections[0].virtual_size = 0x10000000;
  const Buffer file = sample::make(pe);
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  ASSERT_TRUE(uki.has_value());
  const auto texts = uki::list_texts(*uki, uki->effective_base());
  ASSERT_TRUE(texts.has_value()) << "I-osrel 9: a zero tail is not read";
  EXPECT_EQ(texts->osrel.size, 0x200u);
}

TEST(Uki, Kinds) {
  struct Row {
    std::vector<sample::Section> sections;
    std::uint16_t subsystem;
    uki::Kind kind;
    std::string_view reason;
  };
  const Row rows[] = {
      {{{".linux", "k"}, {".osrel", "o"}}, 10, uki::Kind::uki, "both"},
      {{{".linux", "k"}, {".osrel", "o"}}, 3, uki::Kind::other, "not for EFI"},
      {{{".linux", "k"}, {".cmdline", "o"}}, 10, uki::Kind::other, "kernel without os-release"},
      {{{".cmdline", "c"}}, 10, uki::Kind::addon, "add-on"},
      {{{".ucode", "c"}}, 10, uki::Kind::addon, "add-on"},
      {{{".dtb", "c"}}, 10, uki::Kind::addon, "add-on"},
      {{{".initrd", "c"}}, 10, uki::Kind::addon, "add-on"},
      {{{".osrel", "o"}}, 10, uki::Kind::other, "a boot loader"},
      {{{".text", "o"}}, 10, uki::Kind::other, "any program"},
  };
  for (const Row& row : rows) {
    sample::Pe pe = pe_of(row.sections);
    pe.subsystem = row.subsystem;
    const Buffer file = sample::make(pe);
    const auto image = pe::Image::parse(file, pe::Layout::file);
    ASSERT_TRUE(image.has_value());
    EXPECT_EQ(uki::classify(*image), row.kind) << row.reason;
  }
}

}  // namespace
}  // namespace keelson
