// SPDX-License-Identifier: MIT
//
// What the stub decides: facts as structs in, the plan compared with what stub.md and the design
// decisions say. Nothing here touches firmware.
#include <gtest/gtest.h>

#include "host-tests/stub/plans.h"

namespace keelson::stub {
namespace {

TEST(Plan, SectionsAreMeasuredInTheBindingOrderNotThatOfTheFile) {
  Case c(full_uki());
  const auto made = plan(c.facts);
  ASSERT_TRUE(made.has_value());
  const Texts expected = {"11 .linux",   "11 .linux",   "11 .osrel",   "11 .osrel",
                          "11 .cmdline", "11 .cmdline", "11 .initrd",  "11 .initrd",
                          "11 .ucode",   "11 .ucode",   "11 .uname",   "11 .uname",
                          "11 .sbat",    "11 .sbat",    "11 .pcrpkey", "11 .pcrpkey"};
  EXPECT_EQ(events(*made), expected) << ".pcrsig cannot sign itself; a built-in line is not PCR 12";
}

TEST(Plan, AProfileIsMeasuredFirstAndOverlaysTheBase) {
  Case c(with_profiles());
  c.facts.request = {.profile = 1, .line = u"debug"};
  const auto made = plan(c.facts);
  ASSERT_TRUE(made.has_value());
  const Texts all = events(*made);
  EXPECT_EQ(all.front(), "12 1");
  EXPECT_EQ(all.back(), "12 debug");
  EXPECT_EQ(events(*made, pcr::kernel_parameters).size(), 2u);
  EXPECT_EQ(std::ranges::count(all, "11 .profile"), 2);
  EXPECT_EQ(std::ranges::count(all, "11 .ucode"), 0) << "masked by the profile";
  const Texts expected = {"initrd", ".extra/tpm2-pcr-signature.json",
                          ".extra/tpm2-pcr-public-key.pem", ".extra/os-release", ".extra/profile"};
  EXPECT_EQ(parts(made->initrd), expected) << "without the masked microcode";
  EXPECT_NE(text_of(made->extra[3].bytes()).find("ID=rescue\n"), std::string_view::npos);
  EXPECT_NE(text_of(made->extra[2].bytes()).find("ID=test\n"), std::string_view::npos);
  EXPECT_EQ(variables(made->reports).at("StubProfile"), "1");
}

TEST(Plan, CommandLine) {
  struct Row {
    bool secure_boot, confidential;
    const char* embedded;  // nullptr: no .cmdline
    const char16_t* passed;
    const char16_t* used;
    bool measured, ignored;
    const char* why;
  };
  constexpr bool on = true, off = false, yes = true, no = false;
  const Row rows[] = {
      {off, no, "quiet", u"", u"quiet", no, no, "nothing passed: the built-in one"},
      {off, no, "quiet", u"debug", u"debug", yes, no, "without Secure Boot passed ones replace"},
      {off, yes, nullptr, u"debug", u"debug", yes, no, "without Secure Boot nothing is authentic"},
      {on, no, "quiet", u"debug", u"quiet", no, yes, "under Secure Boot the signed line wins"},
      {on, no, nullptr, u"debug", u"debug", yes, no, "there is no signed line to protect"},
      {on, yes, nullptr, u"debug", u"", no, yes, "the host of a confidential VM is no owner"},
      {on, no, nullptr, u"", u"", no, no, "none at all"},
      {on, no, " \n", u"debug", u"", no, yes, "a line of white space is still a line"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    std::vector<sample::Section> sections = {{.name = ".linux", .content = kernel_file}};
    if (row.embedded != nullptr) sections.push_back({.name = ".cmdline", .content = row.embedded});
    Case c(sections);
    c.facts.secure_boot = row.secure_boot;
    c.facts.confidential_vm = row.confidential;
    c.facts.request.line = row.passed;
    const auto made = plan(c.facts);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(utf8(made->boot.line.text), utf8(row.used));
    EXPECT_EQ(made->boot.line.text.data()[made->boot.line.text.size()], u'\0');
    EXPECT_EQ(made->boot.line.base.passed_ignored, row.ignored);
    const Texts measured = row.measured ? Texts{"12 " + utf8(row.used)} : Texts{};
    EXPECT_EQ(events(*made, pcr::kernel_parameters), measured);
  }
}

TEST(Plan, HowTheKernelIsStarted) {
  struct Row {
    bool secure_boot, shim;
    Start how;
    const char* why;
  };
  const Row rows[] = {
      {false, false, Start::in_memory, "nobody to ask"},
      {false, true, Start::in_memory, "shim verifies nothing without Secure Boot"},
      {true, false, Start::in_memory, "verified as part of the image, nobody revokes kernels"},
      {true, true, Start::load_image, "shim knows revoked kernels"},
  };
  for (const Row& row : rows) {
    Case c(full_uki());
    c.facts.secure_boot = row.secure_boot;
    c.facts.shim_verifies = row.shim;
    const auto made = plan(c.facts);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->image.kernel.how, row.how) << row.why;
    EXPECT_EQ(text_of(made->image.kernel.file), kernel_file);
  }
}

TEST(Plan, PartsOfTheInitrd) {
  Case c(full_uki());
  const auto made = plan(c.facts);
  ASSERT_TRUE(made.has_value());
  const Texts expected = {"ucode", "initrd", ".extra/tpm2-pcr-signature.json",
                          ".extra/tpm2-pcr-public-key.pem", ".extra/os-release"};
  EXPECT_EQ(parts(made->initrd), expected);

  Case bare({{.name = ".linux", .content = kernel_file}});
  const auto bare_made = plan(bare.facts);
  ASSERT_TRUE(bare_made.has_value());
  EXPECT_TRUE(bare_made->initrd.empty());
}

TEST(Plan, VariablesSayWhereTheImageCameFrom) {
  Case c(full_uki());
  c.facts.partition = "11223344-5566-7788-99aa-bbccddeeff00"_guid;
  c.facts.image_path = u"\\EFI\\Linux\\foo+3-0.efi";
  c.facts.device_url = "http://example.invalid/a.efi";
  c.facts.firmware_vendor = u"EDK II";
  c.facts.firmware_revision = 0x10000;
  c.facts.uefi_revision = 0x2003c;
  c.facts.active_pcr_banks = 2;
  const auto made = plan(c.facts);
  ASSERT_TRUE(made.has_value());
  auto seen = variables(made->reports);
  for (const char* who : {"Loader", "Stub"}) {
    EXPECT_EQ(seen[std::string(who) + "DevicePartUUID"], "11223344-5566-7788-99AA-BBCCDDEEFF00");
    EXPECT_EQ(seen[std::string(who) + "ImageIdentifier"], "\\EFI\\Linux\\foo+3-0.efi");
    EXPECT_EQ(seen[std::string(who) + "DeviceURL"], "http://example.invalid/a.efi");
  }
  EXPECT_EQ(seen["LoaderFirmwareInfo"], "EDK II 1.00");
  EXPECT_EQ(seen["LoaderFirmwareType"], "UEFI 2.60");
  EXPECT_EQ(seen["LoaderTpm2ActivePcrBanks"], "0x00000002");
  EXPECT_EQ(seen["StubInfo"], "keelson-stub 0.1.0");
  EXPECT_EQ(seen["StubProfile"], "0");
}

TEST(Plan, VariablesOfALoaderAreLeftAlone) {
  Case c(full_uki());
  c.facts.partition = "11223344-5566-7788-99aa-bbccddeeff00"_guid;
  c.facts.image_path = u"\\a.efi";
  c.facts.device_url = "http://example.invalid/";
  c.facts.loader_reports = {.device_part_uuid = true,
                            .device_url = true,
                            .image_identifier = true,
                            .firmware_info = true,
                            .firmware_type = true,
                            .tpm2_active_pcr_banks = true};
  const auto made = plan(c.facts);
  ASSERT_TRUE(made.has_value());
  for (const auto& [name, value] : variables(made->reports))
    EXPECT_TRUE(name.starts_with("Stub")) << name;
}

TEST(Plan, WhatIsNotKnownIsNotReported) {
  Case c(full_uki());
  const auto made = plan(c.facts);
  ASSERT_TRUE(made.has_value());
  const auto seen = variables(made->reports);
  for (const char* name : {"StubDevicePartUUID", "StubDeviceURL", "StubImageIdentifier",
                           "LoaderDevicePartUUID", "LoaderImageIdentifier"})
    EXPECT_FALSE(seen.contains(name)) << name;
  EXPECT_EQ(seen.at("LoaderTpm2ActivePcrBanks"), "0x00000000") << "no TPM is said, too";
}

TEST(Plan, FeaturesAreTrue) {
  Case c(full_uki());
  const auto made = plan(c.facts);
  ASSERT_TRUE(made.has_value());
  for (const Variable& v : made->reports) {
    if (v.name.text != u"StubFeatures") continue;
    const auto bits = loader_interface::decode_u64(v.value);
    ASSERT_TRUE(bits.has_value());
    EXPECT_EQ(*bits, 0x1fffu) << "as systemd 261";
    return;
  }
  FAIL() << "no StubFeatures";
}

TEST(Plan, PcrVariablesNeedASuccessAndNoFailure) {
  constexpr Measured by_nobody = Measured::by_nobody, yes = Measured::yes, no = Measured::failed;
  struct Row {
    std::vector<std::pair<EventSubject, Measured>> events;
    Texts names;
    const char* why;
  };
  const auto archive = [](ArchiveKind kind) {
    return EventSubject{Subject::archive, static_cast<std::size_t>(kind)};
  };
  constexpr EventSubject image{Subject::image}, line{Subject::parameters}, smbios{Subject::smbios};
  const Row rows[] = {
      {{}, {}, "nothing was measured"},
      {{{image, by_nobody}, {line, by_nobody}}, {}, "nothing to measure with"},
      {{{image, yes}, {image, yes}}, {"StubPcrKernelImage"}, "no parameters"},
      {{{image, yes}, {image, no}}, {}, "one section is missing in the PCR"},
      {{{line, yes}, {image, yes}}, {"StubPcrKernelImage", "StubPcrKernelParameters"}, "both"},
      {{{line, no}, {image, yes}}, {"StubPcrKernelImage"}, "each kind by itself"},
      {{{archive(ArchiveKind::credentials), yes}, {line, no}}, {}, "credentials are parameters"},
      {{{archive(ArchiveKind::global_credentials), yes}},
       {"StubPcrKernelParameters"},
       "one directory of the two is enough"},
      {{{archive(ArchiveKind::sysext), yes}, {archive(ArchiveKind::global_sysext), no}},
       {},
       "one of the two failed"},
      {{{archive(ArchiveKind::global_sysext), yes}, {archive(ArchiveKind::confext), no}},
       {"StubPcrInitRDSysExts"},
       "the two kinds of extensions are two kinds"},
      {{{archive(ArchiveKind::global_confext), yes}, {line, no}},
       {"StubPcrInitRDConfExts"},
       "in the same PCR, but of another kind"},
      {{{{Subject::ucode, 2}, yes}}, {"StubPcrKernelParameters"}, "parts of add-ons, too"},
      {{{{Subject::initrd, 0}, no}, {line, yes}}, {}, "parts of add-ons, too"},
      {{{{Subject::device_tree, 0}, no}, {line, yes}}, {}, "parts of add-ons, too"},
      {{{smbios, yes}}, {"LoaderPcrSMBIOS"}, "for whoever would measure it again"},
      {{{smbios, yes}, {smbios, no}}, {}, "not all of it"},
  };
  for (const Row& row : rows) {
    PlannedEvents events;
    MeasuredEvents results;
    for (const auto& [subject, result] : row.events) {
      ASSERT_TRUE(events.list.add({.pcr = 12, .description = {}, .data = {}}).has_value());
      ASSERT_TRUE(events.label(subject).has_value());
      ASSERT_TRUE(results.push(result).has_value());
    }
    TextArena texts;
    PageList<Variable> list;
    const MeasuredPlan measured[] = {{events, results}};
    ASSERT_TRUE(plan_pcr_reports(measured, texts, list).has_value());
    const std::map<std::string, std::string> pcrs = {{"StubPcrKernelImage", "11"},
                                                     {"StubPcrKernelParameters", "12"},
                                                     {"StubPcrInitRDSysExts", "13"},
                                                     {"StubPcrInitRDConfExts", "12"},
                                                     {"LoaderPcrSMBIOS", "1"}};
    Texts names;
    for (const auto& [name, value] : variables(list)) {
      names.push_back(name);
      EXPECT_EQ(value, pcrs.at(name));
    }
    EXPECT_EQ(names, row.names) << row.why;
    for (const Variable& variable : list)
      EXPECT_EQ(variable.of_this_image, variable.name.text != u"LoaderPcrSMBIOS")
          << "PCR 1 stays what it is when the kernel comes back";
  }
}

TEST(Plan, WhatCannotBeBooted) {
  sample::Pe old_kernel = sample::kernel_pe();
  old_kernel.major_image_version = 0;
  sample::Pe relocatable = sample::kernel_pe();
  relocatable.base_relocations.address = 0x3000;
  relocatable.base_relocations.size = 8;
  sample::Pe foreign = sample::kernel_pe();
  foreign.machine = pe::Machine::aa64;
  const auto linux_section = [](const sample::Pe& kernel) {
    return std::vector<sample::Section>{
        {.name = ".linux", .content = sample::text(sample::make(kernel))}};
  };
  struct Row {
    std::vector<sample::Section> sections;
    std::uint32_t profile;
    Errc code;
    const char* why;
  };
  const Row rows[] = {
      {{{.name = ".osrel", .content = "ID=x\n"}}, 0, Errc::not_found, "no kernel"},
      {{{.name = ".linux", .content = ""}}, 0, Errc::not_found, "an empty kernel is none"},
      {full_uki(), 1, Errc::not_found, "a profile that is not there"},
      {with_profiles(), 2, Errc::not_found, "one past the last profile"},
      {with_profiles(), 0xffffffff, Errc::not_found, "no selector means the base alone"},
      {{{.name = ".linux", .content = "no PE"}}, 0, Errc::truncated, "not an image"},
      {linux_section(old_kernel), 0, Errc::unsupported, "needs the old handover protocol"},
      {linux_section(relocatable), 0, Errc::malformed, "would need to be relocated"},
      {linux_section(foreign), 0, Errc::unsupported, "another machine's"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Case c(row.sections);
    c.facts.request.profile = row.profile;
    const auto made = plan(c.facts);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, row.code) << made.error().what;
  }
}

}  // namespace
}  // namespace keelson::stub
