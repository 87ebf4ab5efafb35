// SPDX-License-Identifier: MIT
//
// What the stub decides: facts as structs in, the plan compared with what stub.md and the design
// decisions say. Nothing here touches firmware.
#include "stub/plan.h"

#include <gtest/gtest.h>

#include <map>

#include "host-tests/format/sample_pe.h"
#include "host-tests/utf16.h"

namespace keelson::stub {
namespace {

using Texts = std::vector<std::string>;

const std::string kernel_file = sample::text(sample::make(sample::kernel_pe()));

// A UKI as the firmware has loaded it; sections in the order given, like a builder writes them.
sample::Buffer loaded(const std::vector<sample::Section>& sections) {
  sample::Pe pe;
  pe.size_of_headers = 0x1000;
  pe.sections = {{.name = ".text", .content = "stub"}};
  pe.sections.insert(pe.sections.end(), sections.begin(), sections.end());
  return sample::load(sample::make(pe));
}

std::vector<sample::Section> full_uki() {
  return {{.name = ".osrel", .content = "ID=test\n"}, {.name = ".cmdline", .content = "quiet"},
          {.name = ".pcrpkey", .content = "key"},     {.name = ".linux", .content = kernel_file},
          {.name = ".initrd", .content = "initrd"},   {.name = ".ucode", .content = "ucode"},
          {.name = ".sbat", .content = "sbat,1\n"},   {.name = ".uname", .content = "6.1"},
          {.name = ".pcrsig", .content = "{}"}};
}

std::vector<sample::Section> with_profiles() {
  auto sections = full_uki();
  sections.push_back({.name = ".profile", .content = "ID=main\n"});
  sections.push_back({.name = ".profile", .content = "ID=rescue\n"});
  sections.push_back({.name = ".cmdline", .content = "rescue"});
  sections.push_back({.name = ".ucode", .content = ""});  // masks the base's
  return sections;
}

// Owns what Facts only refers to.
struct Case {
  explicit Case(const std::vector<sample::Section>& sections) : image(loaded(sections)) {
    auto parsed = uki::Uki::parse(image, pe::Layout::loaded);
    EXPECT_TRUE(parsed.has_value());
    if (parsed.has_value()) facts.uki = *parsed;
    facts.secure_boot = false;
  }
  sample::Buffer image;
  Facts facts;
};

std::string described(const Measurement& m) {
  return std::to_string(m.pcr) + " " + utf8(m.description);
}

Texts events(const Plan& plan, std::uint32_t pcr = 0) {
  Texts texts;
  for (const Measurement& m : plan.measurements.items())
    if (pcr == 0 || m.pcr == pcr) texts.push_back(described(m));
  return texts;
}

std::map<std::string, std::string> variables(const PageList<Variable>& list) {
  std::map<std::string, std::string> values;
  for (const Variable& v : list) {
    std::u16string text = units_of(v.value);
    while (text.ends_with(u'\0')) text.pop_back();
    values[utf8(v.name.text)] = utf8(text);
    EXPECT_EQ(v.name.attributes, loader_interface::volatile_attributes) << utf8(v.name.text);
    EXPECT_EQ(v.name.vendor, loader_interface::loader_vendor);
  }
  return values;
}

std::string file_text(const InitrdPlan& plan, std::string_view name) {
  for (const cpio::File& file : plan.extra_files)
    if (file.name == name) return std::string(text_of(file.content));
  return "(none)";
}

TEST(Plan, SectionsAreMeasuredInTheBindingOrderNotThatOfTheFile) {
  Case c(full_uki());
  const auto plan = plan_boot(c.facts);
  ASSERT_TRUE(plan.has_value());
  const Texts expected = {"11 .linux",   "11 .linux",   "11 .osrel",   "11 .osrel",
                          "11 .cmdline", "11 .cmdline", "11 .initrd",  "11 .initrd",
                          "11 .ucode",   "11 .ucode",   "11 .uname",   "11 .uname",
                          "11 .sbat",    "11 .sbat",    "11 .pcrpkey", "11 .pcrpkey"};
  EXPECT_EQ(events(*plan), expected) << ".pcrsig cannot sign itself; a built-in line is not PCR 12";
}

TEST(Plan, AProfileIsMeasuredFirstAndOverlaysTheBase) {
  Case c(with_profiles());
  c.facts.request = {.profile = 1, .line = u"debug"};
  const auto plan = plan_boot(c.facts);
  ASSERT_TRUE(plan.has_value());
  const Texts all = events(*plan);
  EXPECT_EQ(all.front(), "12 1");
  EXPECT_EQ(all.back(), "12 debug");
  EXPECT_EQ(events(*plan, pcr::kernel_parameters).size(), 2u);
  EXPECT_EQ(std::ranges::count(all, "11 .profile"), 2);
  EXPECT_EQ(std::ranges::count(all, "11 .ucode"), 0) << "masked by the profile";
  EXPECT_TRUE(plan->initrd.ucode.empty());
  EXPECT_EQ(file_text(plan->initrd, "profile"), "ID=rescue\n");
  EXPECT_EQ(file_text(plan->initrd, "os-release"), "ID=test\n") << "from the base";
  EXPECT_EQ(variables(plan->variables).at("StubProfile"), "1");
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
    const auto plan = plan_boot(c.facts);
    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(utf8(plan->kernel.command_line), utf8(row.used));
    EXPECT_EQ(plan->kernel.command_line.data()[plan->kernel.command_line.size()], u'\0');
    EXPECT_EQ(plan->passed_line_ignored, row.ignored);
    const Texts measured = row.measured ? Texts{"12 " + utf8(row.used)} : Texts{};
    EXPECT_EQ(events(*plan, pcr::kernel_parameters), measured);
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
    c.facts.shim_image_loader = row.shim;
    const auto plan = plan_boot(c.facts);
    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->kernel.how, row.how) << row.why;
    EXPECT_EQ(text_of(plan->kernel.file), kernel_file);
  }
}

TEST(Plan, PartsOfTheInitrd) {
  Case c(full_uki());
  const auto plan = plan_boot(c.facts);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(text_of(plan->initrd.ucode), "ucode");
  EXPECT_EQ(text_of(plan->initrd.initrd), "initrd");
  EXPECT_EQ(plan->initrd.extra_layout.directory, ".extra");
  EXPECT_EQ(plan->initrd.extra_layout.directory_mode, 0555);
  EXPECT_EQ(plan->initrd.extra_layout.file_mode, 0444);
  Texts names;
  for (const cpio::File& file : plan->initrd.extra_files) names.emplace_back(file.name);
  const Texts expected = {"tpm2-pcr-signature.json", "tpm2-pcr-public-key.pem", "os-release"};
  EXPECT_EQ(names, expected);
  EXPECT_EQ(file_text(plan->initrd, "tpm2-pcr-signature.json"), "{}");

  Case bare({{.name = ".linux", .content = kernel_file}});
  const auto bare_plan = plan_boot(bare.facts);
  ASSERT_TRUE(bare_plan.has_value());
  EXPECT_TRUE(bare_plan->initrd.initrd.empty());
  EXPECT_TRUE(bare_plan->initrd.extra_files.empty());
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
  const auto plan = plan_boot(c.facts);
  ASSERT_TRUE(plan.has_value());
  auto seen = variables(plan->variables);
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
  const auto plan = plan_boot(c.facts);
  ASSERT_TRUE(plan.has_value());
  for (const auto& [name, value] : variables(plan->variables))
    EXPECT_TRUE(name.starts_with("Stub")) << name;
}

TEST(Plan, WhatIsNotKnownIsNotReported) {
  Case c(full_uki());
  const auto plan = plan_boot(c.facts);
  ASSERT_TRUE(plan.has_value());
  const auto seen = variables(plan->variables);
  for (const char* name : {"StubDevicePartUUID", "StubDeviceURL", "StubImageIdentifier",
                           "LoaderDevicePartUUID", "LoaderImageIdentifier"})
    EXPECT_FALSE(seen.contains(name)) << name;
  EXPECT_EQ(seen.at("LoaderTpm2ActivePcrBanks"), "0x00000000") << "no TPM is said, too";
}

TEST(Plan, FeaturesAreTrue) {
  Case c(full_uki());
  const auto plan = plan_boot(c.facts);
  ASSERT_TRUE(plan.has_value());
  for (const Variable& v : plan->variables) {
    if (v.name.text != u"StubFeatures") continue;
    const auto bits = loader_interface::decode_u64(v.value);
    ASSERT_TRUE(bits.has_value());
    EXPECT_EQ(*bits, 1u << 0 | 1u << 9 | 1u << 10 | 1u << 11);
    return;
  }
  FAIL() << "no StubFeatures";
}

TEST(Plan, PcrVariablesNeedASuccessAndNoFailure) {
  struct Row {
    std::vector<Outcome> outcomes;
    Texts names;
    const char* why;
  };
  const Row rows[] = {
      {{}, {}, "nothing to measure with"},
      {{{.pcr = 11, .extended = 0, .failed = 0}}, {}, "nothing was measured"},
      {{{.pcr = 11, .extended = 8, .failed = 0}}, {"StubPcrKernelImage"}, "no parameters"},
      {{{.pcr = 11, .extended = 7, .failed = 1}}, {}, "one section is missing in the PCR"},
      {{{.pcr = 12, .extended = 1, .failed = 0}, {.pcr = 11, .extended = 8, .failed = 0}},
       {"StubPcrKernelImage", "StubPcrKernelParameters"},
       "both"},
      {{{.pcr = 12, .extended = 0, .failed = 1}, {.pcr = 11, .extended = 8, .failed = 0}},
       {"StubPcrKernelImage"},
       "each kind by itself"},
  };
  for (const Row& row : rows) {
    TextArena texts;
    PageList<Variable> list;
    ASSERT_TRUE(plan_pcr_variables(row.outcomes, texts, list).has_value());
    Texts names;
    for (const auto& [name, value] : variables(list)) {
      names.push_back(name);
      EXPECT_EQ(value, name == "StubPcrKernelImage" ? "11" : "12");
    }
    EXPECT_EQ(names, row.names) << row.why;
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
      {linux_section(relocatable), 0, Errc::unsupported, "would need to be relocated"},
      {linux_section(foreign), 0, Errc::unsupported, "another machine's"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Case c(row.sections);
    c.facts.request.profile = row.profile;
    const auto plan = plan_boot(c.facts);
    ASSERT_FALSE(plan.has_value());
    EXPECT_EQ(plan.error().code, row.code) << plan.error().what;
  }
}

}  // namespace
}  // namespace keelson::stub
