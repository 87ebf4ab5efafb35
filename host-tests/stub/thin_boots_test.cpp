// SPDX-License-Identifier: MIT
//
// Thin UKIs in whole boots (stub.md 11) beside everything else that a boot may have: companions,
// lines that are passed, profiles, shim, a TPM that fails; and on a volume that changes under the
// stub (security.md V15): what starts and is measured is what was hashed.
#include <gtest/gtest.h>

#include "host-tests/sim/sample_machine.h"
#include "host-tests/stub/expected.h"
#include "host-tests/stub/kernel_view.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using expected::padded;
using sim::Machine;
using sim::ShimVersion;
using Events = std::vector<std::string>;
using Operation = sim::Volume::Operation;
using When = sim::Volume::When;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\thin.efi";
constexpr std::u16string_view kernel_path = u"\\EFI\\pins\\kernel";
constexpr std::u16string_view initrd_path = u"\\EFI\\pins\\initrd";
constexpr std::u16string_view rescue_path = u"\\EFI\\pins\\rescue";
constexpr std::u16string_view credential_path = u"\\EFI\\Linux\\thin.efi.extra.d\\a.cred";
constexpr std::u16string_view addon_path = u"\\EFI\\Linux\\thin.efi.extra.d\\a.addon.efi";

const std::string kernel_file = sample::text(sim::kernel_image("kernel"));
const std::string initrd_file = "the initrd beside the image";
const std::string rescue_file = "the initrd of the other profile";

std::string hash_of(const std::string& file) {
  return std::string(text_of(sha256(bytes_of(std::string_view(file))).bytes()));
}

// Two profiles: the second has a line and an initrd of its own.
void install(Machine& machine) {
  machine.add_image(uki_path, "stub",
                    {{.name = ".osrel", .content = "ID=test\n"},
                     {.name = ".cmdline", .content = "quiet"},
                     {.name = ".initrd", .content = "\\EFI\\pins\\initrd"},
                     {.name = ".initrdh", .content = hash_of(initrd_file)},
                     {.name = ".linuxh", .content = hash_of(kernel_file)},
                     {.name = ".linux", .content = "\\EFI\\pins\\kernel"},
                     {.name = ".profile", .content = "ID=main\n"},
                     {.name = ".profile", .content = "ID=rescue\n"},
                     {.name = ".cmdline", .content = "rescue"},
                     {.name = ".initrd", .content = "\\EFI\\pins\\rescue"},
                     {.name = ".initrdh", .content = hash_of(rescue_file)}});
  machine.esp().add(kernel_path, kernel_file).add(initrd_path, initrd_file);
  machine.esp().add(rescue_path, rescue_file);
}
void add_companions(Machine& machine) {
  machine.esp().add(credential_path, "secret");
  machine.add_addon(addon_path, {{.name = ".cmdline", .content = "extra"},
                                 {.name = ".initrd", .content = "initrd of the add-on"}});
}
const std::string credentials = expected::secrets("credentials", {{"a.cred", "secret"}});

// What the full image of the same files would have measured.
Events image_events(bool rescue) {
  Events events;
  const auto append = [&](const std::string& name, const std::string& content) {
    events.push_back(name + '\0');
    events.push_back(content);
  };
  append(".linux", kernel_file);
  append(".osrel", "ID=test\n");
  append(".cmdline", rescue ? "rescue" : "quiet");
  append(".initrd", rescue ? rescue_file : initrd_file);
  append(".sbat", "sbat,1,SBAT Version,sbat,1,https://example.com\n");
  append(".profile", rescue ? "ID=rescue\n" : "ID=main\n");
  return events;
}
std::string extra_archives(bool rescue) {
  return expected::archive("", 0555, 0444, {{"os-release", "ID=test\n"}}) +
         expected::archive("", 0555, 0444, {{"profile", rescue ? "ID=rescue\n" : "ID=main\n"}});
}
void expect_pcr(Machine& machine, std::uint32_t index, const Events& events) {
  for (const HashAlgorithm bank : all_hash_algorithms)
    EXPECT_EQ(machine.register_hex(bank, index), expected::pcr(bank, events))
        << "PCR " << index << ", " << name(bank);
}

struct Row {
  sim::Options options = {};
  bool companions = false;
  std::u16string_view passed = u"";
  std::u16string_view line = u"quiet";
  Events parameters = {};  // of PCR 12
  std::string_view why;
};
const Row rows[] = {
    {.why = "alone"},
    {.companions = true,
     .line = u"quiet extra",
     .parameters = {expected::ucs2z("extra"), credentials, "initrd of the add-on"},
     .why = "with a credential and an add-on"},
    {.options = {.secure_boot = true},
     .companions = true,
     .line = u"quiet extra",
     .parameters = {expected::ucs2z("extra"), credentials, "initrd of the add-on"},
     .why = "the same with Secure Boot"},
    {.passed = u"debug",
     .line = u"debug",
     .parameters = {expected::ucs2z("debug")},
     .why = "a line that is passed counts without Secure Boot"},
    {.options = {.secure_boot = true}, .passed = u"debug", .why = "and does not with it"},
    {.options = {.secure_boot = true, .shim = ShimVersion::before_16},
     .companions = true,
     .line = u"quiet extra",
     .parameters = {expected::ucs2z("extra"), credentials, "initrd of the add-on"},
     .why = "behind shim before 16: the kernel is ours to vouch for"},
    {.options = {.secure_boot = true, .shim = ShimVersion::since_16},
     .companions = true,
     .line = u"quiet extra",
     .parameters = {expected::ucs2z("extra"), credentials, "initrd of the add-on"},
     .why = "behind shim 16"},
    {.options = {.tpm = false}, .companions = true, .line = u"quiet extra", .why = "without TPM"},
};

void expect_boots(const sim::Run& run) {
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_EQ(run.started_text(), "stub kernel");
  ASSERT_NE(run.find("kernel"), nullptr);
  EXPECT_TRUE(run.find("kernel")->in_memory) << "its file has no signature";
}

TEST(StubThinBoots, AreLikeThoseOfTheFullImage) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine(row.options);
    install(machine);
    if (row.companions) add_companions(machine);
    const sim::Run run = machine.run(uki_path, row.passed);
    expect_boots(run);
    EXPECT_EQ(sim::options_of(run), row.line);
    EXPECT_EQ(sim::initrd_of(run), padded(initrd_file) + (row.companions ? credentials : "") +
                                       extra_archives(false) +
                                       (row.companions ? padded("initrd of the add-on") : ""));
    expect_pcr(machine, 11, row.options.tpm ? image_events(false) : Events{});
    expect_pcr(machine, 12, row.parameters);
    EXPECT_EQ(machine.has(bli::stub_pcr_kernel_image), row.options.tpm);
    EXPECT_EQ(machine.screen().printed(), "") << "a healthy boot is silent";
  }
}

TEST(StubThinBoots, AProfileMayPinOtherFiles) {
  for (const bool secure_boot : {false, true}) {
    Machine machine({.secure_boot = secure_boot});
    install(machine);
    const sim::Run run = machine.run(uki_path, u"@1");
    expect_boots(run);
    EXPECT_EQ(sim::options_of(run), u"rescue");
    EXPECT_EQ(sim::initrd_of(run), padded(rescue_file) + extra_archives(true));
    expect_pcr(machine, 11, image_events(true));
    EXPECT_EQ(machine.esp().usage(initrd_path).opens, 0u) << "nobody needs that of the other one";

    machine.esp().add(rescue_path, "another initrd");
    const sim::Run refused = machine.run(uki_path, u"@1");
    EXPECT_EQ(refused.status, efi::status::security_violation) << refused;
    EXPECT_EQ(refused.started_text(), "stub");
    expect_boots(machine.run(uki_path));
  }
}

TEST(StubThinBoots, ATpmThatFailsIsSaidAndTakesOnlyCompanions) {
  Machine machine;
  install(machine);
  add_companions(machine);
  machine.calls().fail_every("Tcg2.HashLogExtendEvent", efi::status::device_error);
  const sim::Run run = machine.run(uki_path);
  expect_boots(run);
  EXPECT_EQ(sim::initrd_of(run), padded(initrd_file) + extra_archives(false));
  EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_image));
  EXPECT_TRUE(machine.screen().has_printed("measuring failed"));
}

TEST(StubThinBoots, OneWhoseVolumeCannotBeOpenedIsRefusedBeforeAnythingIsMeasured) {
  for (const bool secure_boot : {false, true}) {
    Machine machine({.secure_boot = secure_boot});
    install(machine);
    machine.esp().fail(Operation::open_volume, u"", efi::status::device_error);
    const sim::Run run = machine.run(uki_path);
    EXPECT_EQ(run.end, sim::End::returned) << run;
    EXPECT_TRUE(run.problems.empty()) << run;
    EXPECT_EQ(run.status, efi::status::device_error);
    EXPECT_EQ(run.started_text(), "stub");
    EXPECT_EQ(machine.tpm().events_in(11), 0u);
    EXPECT_TRUE(machine.screen().has_printed("\\EFI\\pins\\kernel: volume cannot be opened"))
        << machine.screen().printed();
  }
}

// ---- A volume that changes ----

struct Change {
  std::u16string_view path;
  When when;
  Operation operation;
  std::uint64_t nth;
  std::string_view why;
};
// Everything is in memory when the second read has found that nothing follows.
constexpr Change changes_after[] = {
    {kernel_path, When::after, Operation::read, 2, "the kernel, after it was read"},
    {initrd_path, When::after, Operation::read, 2, "kernel and initrd, after both were read"},
    {initrd_path, When::before, Operation::open, 1, "the kernel, when the next file is read"},
    {addon_path, When::after, Operation::read, 2, "the add-on, before the firmware loads it"},
    {credential_path, When::after, Operation::read, 2, "the credential, before it is measured"},
};

// What has been read by then becomes what would boot just as well, or would be used.
void change(sim::Volume& volume, std::u16string_view path) {
  if (path == kernel_path || path == initrd_path)
    volume.add(kernel_path, sim::kernel_image("intruder"));
  if (path == initrd_path && volume.usage(path).reads != 0) volume.add(initrd_path, "evil");
  if (path == addon_path)
    volume.add(addon_path, sim::program_image("addon", {{.name = ".cmdline", .content = "evil"},
                                                        {.name = ".initrd", .content = "evil"}}));
  if (path == credential_path) volume.add(credential_path, "public");
}

TEST(StubThinBoots, WhatChangesAfterItWasReadChangesNothing) {
  for (const bool secure_boot : {false, true}) {
    for (const Change& row : changes_after) {
      SCOPED_TRACE(row.why);
      Machine machine({.secure_boot = secure_boot});
      machine.payload("intruder", sim::Ending::takes_over());
      install(machine);
      add_companions(machine);
      bool changed = false;
      machine.esp().interfere(
          row.when, row.operation, row.path,
          [&](sim::Volume& volume) -> std::optional<efi::Status> {
            change(volume, row.path);
            changed = true;
            return std::nullopt;
          },
          row.nth);
      const sim::Run run = machine.run(uki_path);
      expect_boots(run);
      EXPECT_TRUE(changed);
      EXPECT_EQ(sim::options_of(run), u"quiet extra");
      EXPECT_EQ(sim::initrd_of(run), padded(initrd_file) + credentials + extra_archives(false) +
                                         padded("initrd of the add-on"));
      expect_pcr(machine, 11, image_events(false));
      expect_pcr(machine, 12, {expected::ucs2z("extra"), credentials, "initrd of the add-on"});
      for (const std::u16string_view path : {kernel_path, initrd_path, addon_path, credential_path})
        EXPECT_EQ(machine.esp().usage(path).opens, 1u) << sim::ascii(path);
    }
  }
}

TEST(StubThinBoots, WhatChangesBeforeItIsReadIsRefused) {
  for (const auto& [path, operation] : {std::pair{kernel_path, Operation::open},
                                        {kernel_path, Operation::get_info},
                                        {kernel_path, Operation::read},
                                        {initrd_path, Operation::open},
                                        {initrd_path, Operation::get_info},
                                        {initrd_path, Operation::read}}) {
    SCOPED_TRACE(sim::ascii(path));
    Machine machine({.secure_boot = true});
    install(machine);
    const std::string before = path == kernel_path ? kernel_file : initrd_file;
    machine.esp().interfere(When::before, operation, path,
                            [&](sim::Volume& volume) -> std::optional<efi::Status> {
                              std::string other = before;  // of the same size
                              other.back() = static_cast<char>(other.back() ^ 1);
                              volume.add(path, other);
                              return std::nullopt;
                            });
    const sim::Run run = machine.run(uki_path);
    EXPECT_EQ(run.status, efi::status::security_violation) << run;
    EXPECT_TRUE(run.problems.empty()) << run;
    EXPECT_EQ(run.started_text(), "stub");
    EXPECT_EQ(machine.tpm().events_in(11), 0u);
  }
}

}  // namespace
}  // namespace keelson
