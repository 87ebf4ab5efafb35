// SPDX-License-Identifier: MIT
//
// Building UKIs (linker/uki_builder.h): order, profiles, derived sections, refusals.
#include "linker/uki_builder.h"

#include <gtest/gtest.h>

#include <functional>

#include "efi/base/digest.h"
#include "efi/format/sbat.h"
#include "efi/format/uki.h"
#include "host-tests/format/sample_pe.h"

namespace keelson {
namespace {

using linker::UkiInputs;
using linker::UkiKind;
using sample::Buffer;
using namespace std::string_literals;

Bytes text(std::string_view content) { return bytes_of(content); }

constexpr std::string_view stub_sbat = "sbat,1,SBAT Version\nstub,1,s\n";

Buffer stub() {
  sample::Pe pe;
  pe.size_of_headers = 0xA00;
  pe.sections = {
      {.name = ".text",
       .content = "code",
       .flags = pe::section_code | pe::section_execute | pe::section_read},
      {.name = ".sbat",
       .content = std::string(stub_sbat) + std::string(0x300, '\0'),
       .virtual_size = static_cast<std::uint32_t>(stub_sbat.size())},
      {.name = ".sdmagic", .content = "magic"},
  };
  return sample::make(pe);
}

// With a setup header that names its version, and lines for .sbat.
Buffer kernel(std::uint16_t dll_characteristics = 0x160) {
  sample::Pe pe = sample::kernel_pe();
  pe.dll_characteristics = dll_characteristics;
  pe.sections.push_back({.name = ".sbat", .content = "sbat,1,x\nlinux,1,kernel\n"});
  pe.size_of_headers = 0x600;
  Buffer file = sample::make(pe);
  std::ranges::copy(bytes_of("HdrS"s), file.begin() + 0x202);
  sample::put(file, 0x20e, Le<std::uint16_t>(0x300));
  std::ranges::copy(bytes_of("6.1.0-demo (builder) #1\0"s), file.begin() + 0x500);
  return file;
}

std::string names(Bytes file) {
  std::string all;
  const auto image = pe::Image::parse(file, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value()) return "(refused)";
  for (const pe::Section& section : image->sections()) (all += section.name()) += ' ';
  return all;
}

std::string content(Bytes file, UkiSection id, std::uint64_t profile = 0) {
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  if (!uki.has_value()) return "(refused)";
  const auto range = uki->profile(profile);
  if (!range.has_value()) return "(no such profile)";
  const auto data = uki->data(uki->effective(*range), id);
  return data.has_value() ? std::string(text_of(data->stored)) : "(truncated)";
}

std::string failure(const UkiInputs& inputs) {
  const auto built = linker::build_uki(inputs);
  return built.has_value() ? "(built)" : built.error().text();
}

TEST(UkiBuilder, SectionsAreInUkifysOrder) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  UkiInputs in;
  in.stub = stub_file;
  in.kernel = kernel_file;
  in.osrel = text("os");
  in.cmdline = text("quiet");
  in.ucode = text("ucode");
  in.splash = text("splash");
  in.dtb = text("dtb");
  in.pcrpkey = text("key");
  in.hwids = text("hwids");
  in.initrds = {text("initrd")};
  in.dtbauto = {text("dtb-a"), text("dtb-b")};
  in.efifw = {text("fw")};
  in.custom = {{.name = ".mine", .content = text("mine")}};
  in.profile = text("ID=p");
  in.pcrsig = text("{}");
  const auto built = linker::build_uki(in);
  ASSERT_TRUE(built.has_value()) << built.error().text();
  EXPECT_EQ(names(built->image),
            ".text .sbat .sdmagic .osrel .cmdline .dtb .dtbauto .dtbauto .hwids .uname .splash "
            ".pcrpkey .linux .initrd .efifw .ucode .mine .profile .pcrsig ");
  EXPECT_EQ(content(built->image, UkiSection::uname), "6.1.0-demo");
  EXPECT_TRUE(content(built->image, UkiSection::kernel) == sample::text(kernel_file));
  EXPECT_EQ(content(built->image, UkiSection::initrd), "initrd") << "a single one stays as it is";
  EXPECT_EQ(content(built->image, UkiSection::sbat),
            std::string(sbat::first_line) + "\nstub,1,s\nlinux,1,kernel\n" +
                std::string(sbat::default_uki_line) + "\n");
  EXPECT_TRUE(built->notes.empty());
  const auto image = pe::Image::parse(built->image, pe::Layout::file);
  EXPECT_TRUE(image->headers().nx_compat());
  EXPECT_EQ(uki::classify(*image), uki::Kind::uki);
}

TEST(UkiBuilder, IsReproducible) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  UkiInputs in;
  in.stub = stub_file;
  in.kernel = kernel_file;
  EXPECT_TRUE(linker::build_uki(in)->image == linker::build_uki(in)->image);
}

TEST(UkiBuilder, ProfilesAreJoined) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  UkiInputs second;
  second.kind = UkiKind::profile;
  second.stub = stub_file;
  second.profile = text("ID=second");
  second.cmdline = text("debug");
  second.initrds = {text("")};
  const auto second_file = linker::build_uki(second);
  ASSERT_TRUE(second_file.has_value()) << second_file.error().text();
  EXPECT_EQ(names(second_file->image), ".text .sbat .sdmagic .profile .cmdline .initrd ");

  UkiInputs in;
  in.stub = stub_file;
  in.kernel = kernel_file;
  in.cmdline = text("quiet");
  in.initrds = {text("initrd")};
  in.pcrsig = text("sig0");
  in.joined = {{.pe = second_file->image, .pcrsig = text("sig1")},
               {.pe = second_file->image, .pcrsig = std::nullopt}};
  const auto built = linker::build_uki(in);
  ASSERT_TRUE(built.has_value()) << built.error().text();
  EXPECT_EQ(names(built->image),
            ".text .sbat .sdmagic .cmdline .uname .linux .initrd .profile .pcrsig .profile "
            ".cmdline .initrd .pcrsig .profile .cmdline .initrd ");
  EXPECT_EQ(content(built->image, UkiSection::profile, 0), "ID=main") << "by default";
  EXPECT_EQ(content(built->image, UkiSection::cmdline, 0), "quiet");
  EXPECT_EQ(content(built->image, UkiSection::profile, 1), "ID=second");
  EXPECT_EQ(content(built->image, UkiSection::cmdline, 1), "debug");
  EXPECT_EQ(content(built->image, UkiSection::initrd, 1), "") << "masked by the empty one";
  EXPECT_EQ(content(built->image, UkiSection::pcrsig, 0), "sig0");
  EXPECT_EQ(content(built->image, UkiSection::pcrsig, 1), "sig1");
  EXPECT_EQ(content(built->image, UkiSection::pcrsig, 2), "");
  EXPECT_TRUE(content(built->image, UkiSection::kernel, 2) == sample::text(kernel_file));
}

TEST(UkiBuilder, WhatIsForCertainMachinesIsJoinedWithItsProfile) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  UkiInputs second;
  second.kind = UkiKind::profile;
  second.stub = stub_file;
  second.profile = text("ID=second");
  second.dtbauto = {text("tree-a"), text("tree-b")};
  second.hwids = text("ids");
  second.efifw = {text("fw")};
  second.pcrpkey = text("key");
  second.custom = {{.name = ".mine", .content = text("mine")}};
  const auto second_file = linker::build_uki(second);
  ASSERT_TRUE(second_file.has_value()) << second_file.error().text();

  UkiInputs in;
  in.stub = stub_file;
  in.kernel = kernel_file;
  in.dtbauto = {text("tree")};
  in.hwids = text("own ids");
  in.joined = {{.pe = second_file->image, .pcrsig = std::nullopt}};
  const auto built = linker::build_uki(in);
  ASSERT_TRUE(built.has_value()) << built.error().text();
  EXPECT_EQ(
      names(built->image),
      ".text .sbat .sdmagic .dtbauto .hwids .uname .linux .profile .profile .dtbauto .dtbauto "
      ".hwids .efifw ");
  EXPECT_EQ(content(built->image, UkiSection::hwids, 0), "own ids");
  EXPECT_EQ(content(built->image, UkiSection::hwids, 1), "ids");
  ASSERT_EQ(built->notes.size(), 2) << "what is not joined is named";
  EXPECT_TRUE(built->notes[0].contains(".pcrpkey is not joined")) << built->notes[0];
  EXPECT_TRUE(built->notes[1].contains(".mine is not joined")) << built->notes[1];
}

TEST(UkiBuilder, AddOn) {
  const Buffer stub_file = stub();
  UkiInputs in;
  in.kind = UkiKind::addon;
  in.stub = stub_file;
  in.cmdline = text("more");
  const auto built = linker::build_uki(in);
  ASSERT_TRUE(built.has_value()) << built.error().text();
  EXPECT_EQ(names(built->image), ".text .sbat .sdmagic .cmdline ");
  EXPECT_EQ(content(built->image, UkiSection::sbat),
            std::string(sbat::first_line) + "\n" + std::string(sbat::default_addon_line) + "\n");
}

TEST(UkiBuilder, RefusalsNameTheSection) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  UkiInputs base;
  base.stub = stub_file;
  base.kernel = kernel_file;
  const Buffer finished = linker::build_uki(base)->image;
  sample::Pe signed_stub;
  signed_stub.sections = {{.name = ".text", .content = "code"}};
  signed_stub.certificates.address = 0x200;
  signed_stub.certificates.size = 8;
  const Buffer signed_file = sample::make(signed_stub);
  sample::Pe wrong = signed_stub;
  wrong.certificates = {};
  wrong.sections = {{.name = ".cmdline", .content = "x"}, {.name = ".profile", .content = "ID=x"}};
  const Buffer wrong_order = sample::make(wrong);
  wrong.sections = {{.name = ".profile", .content = "x"}, {.name = ".profile", .content = "y"}};
  const Buffer two_profiles = sample::make(wrong);
  wrong.sections = {{.name = ".profile", .content = "x"},
                    {.name = ".osrel", .content = "y"},
                    {.name = ".osrel", .content = "z"}};
  const Buffer twice = sample::make(wrong);
  wrong.sections = {{.name = ".sbat", .content = "sbat,1\n"}};
  const Buffer no_profile = sample::make(wrong);

  struct Row {
    std::function<void(UkiInputs&)> spoil;
    std::string_view text;
  };
  const Row rows[] = {
      {[](auto& in) { in.kernel = std::nullopt; }, ".linux: a UKI needs a kernel"},
      {[](auto& in) { in.kernel = Bytes{}; }, ".linux: kernel is empty"},
      {[](auto& in) { in.stub = Bytes{}; }, "shorter than a DOS header"},
      {[&](auto& in) { in.stub = signed_file; }, "image is signed"},
      {[&](auto& in) { in.stub = finished; }, "the stub has this section already"},
      {[](auto& in) { in.sbat = {"nonsense"}; }, ".sbat: SBAT line without component"},
      {[](auto& in) { in.custom = {{.name = ".linux", .content = {}}}; },
       ".linux: this section has an option of its own"},
      {[](auto& in) { in.custom = {{.name = ".text", .content = {}}}; },
       ".text: the image has a section of this name already"},
      {[](auto& in) { in.custom = {{.name = "toolongname", .content = {}}}; },
       "toolongname: section name is not"},
      {[](auto& in) { in.dtbauto = {Bytes{}}; }, ".dtbauto: empty candidate"},
      {[](auto& in) { in.kind = UkiKind::addon; }, ".linux: an add-on has no kernel"},
      {[](auto& in) { in.kind = UkiKind::profile; }, ".profile: a profile needs"},
      {[](auto& in) { in.joined = {{.pe = {}, .pcrsig = {}}}; }, "profile to join: shorter"},
      {[&](auto& in) { in.joined = {{.pe = wrong_order, .pcrsig = {}}}; },
       ".cmdline: stands before .profile"},
      {[&](auto& in) { in.joined = {{.pe = two_profiles, .pcrsig = {}}}; },
       ".profile: more than one"},
      {[&](auto& in) { in.joined = {{.pe = twice, .pcrsig = {}}}; }, ".osrel: more than one"},
      {[&](auto& in) { in.joined = {{.pe = no_profile, .pcrsig = {}}}; }, ".profile: missing"},
  };
  EXPECT_EQ(failure(base), "(built)");
  for (const Row& row : rows) {
    UkiInputs in = base;
    row.spoil(in);
    EXPECT_NE(failure(in).find(row.text), std::string::npos) << row.text << " <> " << failure(in);
  }
}

TEST(UkiBuilder, KernelWithoutNxTakesThePromiseAway) {
  const Buffer stub_file = stub(), old_kernel = kernel(0);
  UkiInputs in;
  in.stub = stub_file;
  in.kernel = old_kernel;
  const auto built = linker::build_uki(in);
  ASSERT_TRUE(built.has_value());
  EXPECT_FALSE(pe::Image::parse(built->image, pe::Layout::file)->headers().nx_compat());
  EXPECT_EQ(built->notes.size(), 1u);
  in.kernel = text("KERNEL-BYTES\n");
  const auto strange = linker::build_uki(in);
  ASSERT_TRUE(strange.has_value());
  EXPECT_FALSE(pe::Image::parse(strange->image, pe::Layout::file)->headers().nx_compat());
  EXPECT_EQ(strange->notes.size(), 3u) << "no version, no PE, no NX";
}

TEST(UkiBuilder, Uname) {
  struct Row {
    std::string kernel;
    std::optional<std::string> uname;
    std::string_view reason;
  };
  const Row rows[] = {
      {sample::text(kernel()), "6.1.0-demo", "setup header"},
      {"x\0Linux version 6.12.9-arm64 (gcc) #1\n"s, "6.12.9-arm64", "text of an arm64 kernel"},
      {"Linux version %s (%s)\0Linux version 6.2\n"s, "6.2", "the format string is passed"},
      {"Linux version ", std::nullopt, "nothing follows"},
      {"Linux version " + std::string(100, 'v'), std::nullopt, "no end in sight"},
      {"", std::nullopt, "empty"},
      {"no kernel at all", std::nullopt, "nothing"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(linker::find_uname(text(row.kernel)), row.uname) << row.reason;
  Buffer outside = kernel();
  sample::put(outside, 0x20e, Le<std::uint16_t>(0xFFF0));
  EXPECT_FALSE(linker::find_uname(outside).has_value()) << "version past the end";
}

TEST(UkiBuilder, InitrdsArePaddedWhenThereAreSeveral) {
  const auto joined = [](std::vector<Bytes> parts) {
    return sample::text(linker::join_initrds(parts));
  };
  EXPECT_EQ(joined({text("12345")}), "12345");
  EXPECT_EQ(joined({text("12345"), text("1234"), text("1")}),
            "12345\0\0\0"
            "1234"
            "1\0\0\0"s);
  EXPECT_EQ(joined({}), "");
}

UkiInputs thin_inputs(const Buffer& stub_file, const Buffer& kernel_file) {
  UkiInputs in;
  in.stub = stub_file;
  in.kernel = kernel_file;
  in.cmdline = text("quiet");
  in.initrds = {text("first"), text("second")};
  in.thin = {.kernel = "\\EFI\\pins\\kernel", .initrd = "\\EFI\\pins\\initrd"};
  return in;
}

TEST(UkiBuilder, AThinUkiHoldsPathsAndHashesAndTheKernelsSbat) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  const auto built = linker::build_uki(thin_inputs(stub_file, kernel_file));
  ASSERT_TRUE(built.has_value()) << built.error().text();
  EXPECT_EQ(names(built->image),
            ".text .sbat .sdmagic .cmdline .uname .linux .initrd .initrdh .linuxh ");
  EXPECT_EQ(content(built->image, UkiSection::kernel), "\\EFI\\pins\\kernel");
  EXPECT_EQ(content(built->image, UkiSection::initrd), "\\EFI\\pins\\initrd");
  EXPECT_EQ(content(built->image, UkiSection::kernel_hash), text_of(sha256(kernel_file).bytes()));
  EXPECT_EQ(content(built->image, UkiSection::initrd_hash),
            text_of(sha256(text("first\0\0\0second\0\0"s)).bytes()));
  EXPECT_EQ(content(built->image, UkiSection::uname), "6.1.0-demo");
  EXPECT_NE(content(built->image, UkiSection::sbat).find("linux,1,kernel"), std::string::npos)
      << "shim looks for revoked kernels here, as it never sees this one";
  EXPECT_LT(built->image.size(), kernel_file.size() + stub_file.size());
}

TEST(UkiBuilder, WhatTheStubWouldNotStartIsNotBuiltThin) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  struct Row {
    std::string_view why;
    std::function<void(UkiInputs&)> change;
    std::string_view message;
  };
  const Row rows[] = {
      {"no initrd", [](UkiInputs& in) { in.initrds.clear(); }, "needs an initrd"},
      {"empty initrd", [](UkiInputs& in) { in.initrds = {Bytes()}; }, "is missing"},
      {"no command line", [](UkiInputs& in) { in.cmdline.reset(); }, "needs a command line"},
      {"relative path", [](UkiInputs& in) { in.thin->kernel = "kernel"; }, "not absolute"},
      {"upwards", [](UkiInputs& in) { in.thin->initrd = "\\..\\initrd"; }, ". or .."},
      {"add-on",
       [](UkiInputs& in) {
         in.kind = UkiKind::addon;
         in.kernel.reset();
       },
       "an add-on pins no files"},
  };
  for (const Row& row : rows) {
    UkiInputs in = thin_inputs(stub_file, kernel_file);
    row.change(in);
    EXPECT_NE(failure(in).find(row.message), std::string::npos) << row.why << ": " << failure(in);
  }
}

TEST(UkiBuilder, ProfilesOfThinUkisAreThin) {
  const Buffer stub_file = stub(), kernel_file = kernel();
  const auto profile = [&](bool thin) {
    UkiInputs in;
    in.kind = UkiKind::profile;
    in.stub = stub_file;
    in.profile = text("ID=other");
    in.initrds = {text("other initrd")};
    if (thin) in.thin = {.kernel = {}, .initrd = "\\other"};
    return linker::build_uki(in);
  };
  const auto thin = profile(true), full = profile(false);
  ASSERT_TRUE(thin.has_value() && full.has_value());
  EXPECT_EQ(names(thin->image), ".text .sbat .sdmagic .profile .initrd .initrdh ");

  UkiInputs in = thin_inputs(stub_file, kernel_file);
  in.joined = {{.pe = thin->image, .pcrsig = std::nullopt}};
  const auto built = linker::build_uki(in);
  ASSERT_TRUE(built.has_value()) << built.error().text();
  EXPECT_EQ(content(built->image, UkiSection::initrd, 1), "\\other");
  EXPECT_EQ(content(built->image, UkiSection::kernel, 1), "\\EFI\\pins\\kernel");

  in.joined = {{.pe = full->image, .pcrsig = std::nullopt}};
  EXPECT_NE(failure(in).find("has to be built thin, too"), std::string::npos);
  in.thin.reset();
  in.joined = {{.pe = thin->image, .pcrsig = std::nullopt}};
  EXPECT_NE(failure(in).find("needs a thin UKI"), std::string::npos);
}

}  // namespace
}  // namespace keelson
