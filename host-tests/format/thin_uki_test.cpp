// SPDX-License-Identifier: MIT
//
// What thin UKIs require (stub.md 11), and what their sections stand for once the files are there.
#include "efi/format/thin_uki.h"

#include <gtest/gtest.h>

#include <functional>

#include "efi/format/measurement.h"
#include "host-tests/format/sample_pe.h"

namespace keelson {
namespace {

using sample::Buffer;
using Sections = std::vector<sample::Section>;

constexpr std::string_view kernel_path = "\\EFI\\nixos\\kernel-6.6-abc.efi";
constexpr std::string_view initrd_path = "\\EFI\\nixos\\initrd-6.6-def.efi";

std::string digest_text(std::string_view content) {
  return std::string(text_of(sha256(bytes_of(content)).bytes()));
}

// As Lanzaboote builds it.
Sections thin_sections() {
  return {{".osrel", "ID=os"},
          {".cmdline", "quiet"},
          {".initrd", std::string(initrd_path)},
          {".linux", std::string(kernel_path)},
          {".initrdh", digest_text("the initrd")},
          {".linuxh", digest_text("the kernel")}};
}

sample::Section& named(Sections& sections, std::string_view name) {
  return *std::ranges::find(sections, name, &sample::Section::name);
}

Buffer file_of(Sections sections) {
  sample::Pe pe;
  pe.sections = std::move(sections);
  return sample::make(pe);
}

// The pins of profile 0, loaded as the firmware does it and as the file is; they must be the same.
struct Found {
  std::optional<Error> error;
  std::optional<std::string> kernel, initrd;  // paths
};
Found find(const Buffer& file, std::uint64_t profile = 0) {
  std::vector<Found> all;
  const Buffer memory = sample::load(file);
  for (const auto layout : {pe::Layout::file, pe::Layout::loaded}) {
    const auto uki = uki::Uki::parse(layout == pe::Layout::file ? file : memory, layout);
    EXPECT_TRUE(uki.has_value());
    if (!uki.has_value()) return {};
    TextArena arena;
    const auto pins = thin_uki::find_pins(*uki, uki->effective(*uki->profile(profile)), arena);
    Found found;
    const auto ascii = [](std::u16string_view text) {
      return std::string(text.begin(), text.end());
    };
    if (!pins.has_value()) {
      found.error = pins.error();
    } else if (*pins) {
      found.kernel = ascii((*pins)->kernel.path.text());
      found.initrd = ascii((*pins)->initrd.path.text());
    }
    all.push_back(found);
  }
  EXPECT_EQ(all[0].error, all[1].error);
  EXPECT_EQ(all[0].kernel, all[1].kernel);
  return all[0];
}

TEST(ThinUki, PinsArePathsAndHashes) {
  const Buffer file = file_of(thin_sections());
  const Found found = find(file);
  EXPECT_EQ(found.kernel, kernel_path);
  EXPECT_EQ(found.initrd, initrd_path);

  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  TextArena arena;
  const auto pins = thin_uki::find_pins(*uki, uki->effective_base(), arena);
  ASSERT_TRUE(pins.has_value() && *pins);
  EXPECT_TRUE(thin_uki::check((*pins)->kernel, sha256(bytes_of("the kernel"))).has_value());
  EXPECT_TRUE(thin_uki::check((*pins)->initrd, sha256(bytes_of("the initrd"))).has_value());
  for (const std::string_view other : {"the initrd", "the kernel ", ""})
    EXPECT_EQ(thin_uki::check((*pins)->kernel, sha256(bytes_of(other))).error().code, Errc::denied);
  EXPECT_EQ(uki::classify(uki->image()), uki::Kind::uki) << "listed as any UKI";
}

TEST(ThinUki, WhatIsNotCompleteStopsTheBoot) {
  struct Row {
    std::string_view why;
    std::function<void(Sections&)> change;
    Errc code;
  };
  const auto without = [](std::string_view name) {
    return [name](Sections& all) { std::erase_if(all, [&](auto& s) { return s.name == name; }); };
  };
  const auto with = [](std::string_view name, std::string content) {
    return [=](Sections& all) { named(all, name).content = content; };
  };
  const Row rows[] = {
      {"no kernel", without(".linux"), Errc::not_found},
      {"no hash of the kernel", without(".linuxh"), Errc::not_found},
      {"no initrd", without(".initrd"), Errc::not_found},
      {"no hash of the initrd", without(".initrdh"), Errc::not_found},
      {"no command line: any that is passed would count", without(".cmdline"), Errc::not_found},
      {"an empty path", with(".linux", ""), Errc::not_found},
      {"a hash of 31 bytes", with(".linuxh", std::string(31, 'h')), Errc::malformed},
      {"a hash of 33 bytes", with(".initrdh", std::string(33, 'h')), Errc::malformed},
      {"a hash in hex", with(".linuxh", std::string(64, 'a')), Errc::malformed},
      {"bad UTF-8", with(".linux", "\\EFI\\\xff"), Errc::malformed},
      {"bad UTF-8 in the command line", with(".cmdline", "quiet \xff"), Errc::malformed},
      {"half a character", with(".initrd", "\\EFI\\\xc3"), Errc::malformed},
      {"relative", with(".linux", "EFI\\kernel"), Errc::malformed},
      {"slashes", with(".linux", "\\EFI/kernel"), Errc::malformed},
      {"a slash first", with(".linux", "/EFI/kernel"), Errc::malformed},
      {"upwards", with(".linux", "\\EFI\\..\\kernel"), Errc::malformed},
      {"here", with(".initrd", "\\.\\initrd"), Errc::malformed},
      {"a drive", with(".linux", "\\C:\\kernel"), Errc::malformed},
      {"a NUL behind", with(".linux", std::string("\\kernel\0", 8)), Errc::malformed},
      {"a NUL inside", with(".initrd", std::string("\\ini\0trd", 8)), Errc::malformed},
      {"a directory", with(".linux", "\\EFI\\"), Errc::malformed},
      {"a line end", with(".linux", "\\kernel\n"), Errc::malformed},
      {"too long", with(".linux", "\\" + std::string(4096, 'k')), Errc::malformed},
      {"as long as a kernel", with(".linux", "\\" + std::string(1 << 20, 'k')), Errc::malformed},
      {"zeros behind the path, in memory only",
       [](Sections& all) { named(all, ".linux").virtual_size = 0x1000; }, Errc::malformed},
      {"zeros behind the hash, in memory only",
       [](Sections& all) { named(all, ".linuxh").virtual_size = 40; }, Errc::malformed},
  };
  for (const Row& row : rows) {
    Sections sections = thin_sections();
    row.change(sections);
    const Found found = find(file_of(std::move(sections)));
    ASSERT_TRUE(found.error.has_value()) << row.why;
    EXPECT_EQ(found.error->code, row.code) << row.why << ": " << found.error->what;
  }
}

TEST(ThinUki, AHashIsExtendedWithZeros) {
  Sections sections = thin_sections();
  named(sections, ".linuxh").content.resize(30);
  named(sections, ".linuxh").virtual_size = 32;
  const Buffer file = file_of(std::move(sections));
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  TextArena arena;
  const auto pins = thin_uki::find_pins(*uki, uki->effective_base(), arena);
  ASSERT_TRUE(pins.has_value() && *pins) << "min(VirtualSize, raw size), zeros to VirtualSize";
}

TEST(ThinUki, WithoutHashesItIsAFullOne) {
  const Found found =
      find(file_of({{".osrel", "os"}, {".linux", std::string(kernel_path)}, {".initrd", "i"}}));
  EXPECT_FALSE(found.error.has_value());
  EXPECT_FALSE(found.kernel.has_value());
}

TEST(ThinUki, ProfilesReplaceAndMaskPinsAsAnySection) {
  Sections sections = thin_sections();
  const Sections profiles = {{".profile", "ID=same"},
                             {".cmdline", "other"},
                             {".profile", "ID=initrd"},
                             {".initrd", "\\EFI\\nixos\\second"},
                             {".initrdh", digest_text("second")},
                             {".profile", "ID=full"},
                             {".linux", "a whole kernel"},
                             {".initrd", "a whole initrd"},
                             {".linuxh", ""},
                             {".initrdh", ""},
                             {".profile", "ID=half"},
                             {".initrd", "a whole initrd"},
                             {".initrdh", ""}};
  sections.insert(sections.end(), profiles.begin(), profiles.end());
  const Buffer file = file_of(std::move(sections));
  EXPECT_EQ(find(file, 0).kernel, kernel_path);
  EXPECT_EQ(find(file, 1).initrd, "\\EFI\\nixos\\second");
  EXPECT_EQ(find(file, 1).kernel, kernel_path);
  EXPECT_FALSE(find(file, 2).error.has_value() || find(file, 2).kernel.has_value());
  EXPECT_EQ(find(file, 3).error->code, Errc::not_found) << "one pinned, the other not";
}

// Design decision 5: an image that pins its parts is measured as the one that holds them.
TEST(ThinUki, IsMeasuredAsTheFullOne) {
  const Buffer thin = file_of(thin_sections());
  const Buffer full = file_of({{".osrel", "ID=os"},
                               {".cmdline", "quiet"},
                               {".initrd", "the initrd"},
                               {".linux", "the kernel"}});
  const auto thin_image = uki::Uki::parse(thin, pe::Layout::file);
  const auto full_image = uki::Uki::parse(full, pe::Layout::file);
  uki::Contents contents(*thin_image, thin_image->effective_base());
  contents.pin(UkiSection::kernel, bytes_of("the kernel"));
  contents.pin(UkiSection::initrd, bytes_of("the initrd"));
  MeasurementList of_thin, of_full;
  ASSERT_TRUE(of_thin.add_uki(contents).has_value());
  ASSERT_TRUE(of_full.add_uki({*full_image, full_image->effective_base()}).has_value());
  ASSERT_EQ(of_thin.items().size(), 8u);
  const Digest zero(HashAlgorithm::sha256);
  EXPECT_TRUE(*replay(of_thin.items(), 11, zero) == *replay(of_full.items(), 11, zero));
}

}  // namespace
}  // namespace keelson
