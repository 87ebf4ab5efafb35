// SPDX-License-Identifier: MIT
//
// Every row of the table of errors (stub.md 10), each as a test: what the stub makes of it, and
// that it comes back with a status where it cannot boot.
#include <gtest/gtest.h>

#include "host-tests/stub/expected.h"
#include "host-tests/stub/start_from.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using sim::Ending;
using sim::Machine;
using Sections = std::vector<sample::Section>;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\sample.efi";
constexpr std::u16string_view own = u"\\EFI\\Linux\\sample.efi.extra.d\\";

std::u16string in(std::u16string_view directory, std::u16string_view name) {
  return std::u16string(directory) + std::u16string(name);
}

sample::Section kernel(std::string_view name = "kernel") {
  return {.name = ".linux", .content = sample::text(sim::kernel_image(name))};
}

void expect_boots(const sim::Run& run) {
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
}
// Nothing was started, everything is as before, and somebody was told.
void expect_refused(Machine& machine, const sim::Run& run) {
  EXPECT_EQ(run.end, sim::End::returned) << run;
  EXPECT_EQ(run.started_text(), "stub");
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_TRUE(efi::failed(run.status));
  EXPECT_TRUE(machine.screen().has_printed("cannot boot this kernel image"));
  EXPECT_EQ(machine.tpm().events_in(11), 0u) << "refused after it was measured";
}

TEST(StubErrors, OwnPeHeadersBad) {
  Machine machine;
  // Code of a test runs as an image without a file: there are no headers at all.
  const sim::Run run = machine.run([](efi::Image& self) { return stub::boot(self); });
  EXPECT_EQ(run.end, sim::End::returned);
  EXPECT_TRUE(efi::failed(run.status));
  EXPECT_TRUE(run.problems.empty()) << run;
}

TEST(StubErrors, LoadedImageMissing) {
  Machine machine;
  machine.add_image(uki_path, "stub", {kernel()});
  machine.calls().fail_every("HandleProtocol", efi::status::unsupported, "LoadedImage");
  const sim::Run run = machine.run(uki_path);
  EXPECT_EQ(run.end, sim::End::returned);
  EXPECT_EQ(run.status, efi::status::unsupported);
  EXPECT_TRUE(run.problems.empty()) << run;
}

TEST(StubErrors, LinuxMissingOrEmpty) {
  struct Row {
    Sections sections;
    const char* why;
  };
  const Row rows[] = {
      {{{.name = ".osrel", .content = "ID=x\n"}}, "missing"},
      {{{.name = ".linux", .content = ""}}, "empty"},
      {{{.name = ".profile", .content = "ID=x\n"}, {.name = ".linux", .content = ""}},
       "empty in a profile"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine;
    machine.add_image(uki_path, "stub", row.sections);
    const sim::Run run = machine.run(uki_path);
    expect_refused(machine, run);
    EXPECT_EQ(run.status, efi::status::not_found);
  }
}

TEST(StubErrors, ProfileMissing) {
  for (const std::u16string_view options : {u"@1", u"@2 quiet", u"@4294967295"}) {
    Machine machine;
    machine.add_image(uki_path, "stub", {kernel(), {.name = ".profile", .content = "ID=x\n"}});
    const sim::Run run = machine.run(uki_path, options);
    expect_refused(machine, run);
    EXPECT_EQ(run.status, efi::status::not_found);
  }
}

TEST(StubErrors, OfDuplicateSectionsTheFirstCounts) {
  Machine machine;
  machine.add_image(uki_path, "stub",
                    {{.name = ".cmdline", .content = "first"},
                     {.name = ".cmdline", .content = "second"},
                     kernel(),
                     kernel("never started")});
  const sim::Run run = machine.run(uki_path);
  expect_boots(run);
  EXPECT_EQ(run.started_text(), "stub kernel");
  EXPECT_EQ(run.find("kernel")->options, u"first");
}

// The firmware refuses such images, but not every loader is one. In memory, as they are started.
TEST(StubErrors, ASectionHeaderOutOfRangeIsNone) {
  enum Field : std::size_t {
    virtual_size = 8,
    virtual_address = 12,
    raw_size = 16,
    raw_pointer = 20
  };
  struct Row {
    Field field;
    std::uint32_t value;
    const char* why;
  };
  const Row rows[] = {
      {virtual_address, 0x7fff'0000, "behind the image"},
      {virtual_address, 0xffff'f000, "its end wraps"},
      {virtual_size, 0xffff'ffff, "its end wraps"},
      {virtual_size, 0x0100'0000, "reaches over the image's end"},
      {raw_size, 0xffff'fe00, "its end in the file wraps"},
      {raw_pointer, 0xffff'ff00, "its end in the file wraps"},
  };
  const Sections sections = {
      {.name = ".cmdline", .content = "first"},
      kernel(),
      {.name = ".cmdline", .content = "second"},
  };
  for (const Row& row : rows) {
    for (const std::string_view name : {".cmdline", ".linux"}) {
      SCOPED_TRACE(std::string(name) + " " + row.why);
      Machine machine;
      machine.add_image(uki_path, "stub", sections);
      const sim::Run run = sim::start_from(machine, uki_path, [&](sim::Starter& starter) {
        auto* const image = static_cast<char*>(starter.record().ImageBase);
        const std::size_t header = std::string_view(image, 0x1000).find(name);
        ASSERT_NE(header, std::string_view::npos);
        const Le<std::uint32_t> value(row.value);
        __builtin_memcpy(image + header + row.field, &value, sizeof(value));
      });
      if (name == ".linux") {
        EXPECT_EQ(run.end, sim::End::returned) << run;
        EXPECT_EQ(run.status, efi::status::not_found);
        EXPECT_EQ(machine.tpm().events_in(11), 0u);
      } else {
        expect_boots(run);
        ASSERT_NE(run.find("kernel"), nullptr);
        EXPECT_EQ(run.find("kernel")->options, u"second") << "the first that can be used";
      }
    }
  }
}

TEST(StubErrors, ALineOverTheCapIsRefused) {  // R6
  for (const bool over : {false, true}) {
    Machine machine;
    const std::string line(64_KiB + (over ? 1 : 0), 'x');
    machine.add_image(uki_path, "stub", {kernel(), {.name = ".cmdline", .content = line}});
    machine.add_image(u"\\addon.efi", "stub", {kernel()});
    machine.add_addon(u"\\addon.efi.extra.d\\a.addon.efi", {{.name = ".cmdline", .content = line}});
    const sim::Run run = machine.run(uki_path);
    const sim::Run with_addon = machine.run(u"\\addon.efi");
    expect_boots(with_addon);
    ASSERT_NE(with_addon.find("kernel"), nullptr);
    EXPECT_EQ(with_addon.find("kernel")->options.size(), over ? 0 : line.size());
    EXPECT_EQ(machine.screen().has_printed("a.addon.efi"), over);
    if (over)
      EXPECT_EQ(run.status, efi::status::load_error);
    else
      expect_boots(run);
  }
}

TEST(StubErrors, KernelThatIsNoSoundImage) {
  const auto with = [](auto change) {
    sample::Pe pe = sample::kernel_pe();
    pe.entry_point = 0x2000;
    change(pe);
    return sample::text(sample::make(pe));
  };
  const std::pair<std::string, const char*> rows[] = {
      {"MZ", "cut off"},
      {"no image at all, but long enough to be mistaken for one at first sight, or nearly so",
       "not an image"},
      {with([](sample::Pe& pe) { pe.entry_point = 0x00ff'0000; }), "entry outside the image"},
      {with([](sample::Pe& pe) { pe.entry_point = 0; }), "entry in the headers"},
      {with([](sample::Pe& pe) { pe.sections[1].flags = pe::section_read; }), "entry in data"},
      {with([](sample::Pe& pe) { pe.section_alignment = 3; }), "no power of two (I-PE 17)"},
      {with([](sample::Pe& pe) { pe.sections[1].virtual_address = 0x1000; }),
       "sections that overlap (I-PE 13)"},
      {with([](sample::Pe& pe) { pe.sections[1].relocations_pointer = 0x400; }),
       "a section with relocations"},
      {with([](sample::Pe& pe) { pe.sections[1].raw_pointer = 0x7fff'0000; }),
       "a section outside the file"},
      {with([](sample::Pe& pe) { pe.sections[1].raw_size = 0x0010'0000; }), "raw over virtual"},
      {with([](sample::Pe& pe) { pe.sections[1].virtual_address = 0x7fff'0000; }),
       "a section outside the image"},
      {with([](sample::Pe& pe) {
         pe.base_relocations.address = 0x3000;
         pe.base_relocations.size = 8;
       }),
       "needs relocating"},
  };
  for (const auto& [file, why] : rows) {
    SCOPED_TRACE(why);
    Machine machine;
    machine.add_image(uki_path, "stub", {{.name = ".linux", .content = file}});
    const sim::Run run = machine.run(uki_path);
    expect_refused(machine, run);
    EXPECT_EQ(run.status, efi::status::load_error);
  }
}

TEST(StubErrors, BadPicturesAndTablesAreIgnored) {
  Machine machine;
  machine.add_image(uki_path, "stub",
                    {{.name = ".osrel", .content = "\x01\x02=\"unbalanced"},
                     {.name = ".splash", .content = "BM and nothing else"},
                     {.name = ".dtb", .content = "no device tree"},
                     {.name = ".dtbauto", .content = "none either"},
                     {.name = ".hwids", .content = std::string(50, 'x')},
                     {.name = ".efifw", .content = "no firmware"},
                     kernel()});
  const sim::Run run = machine.run(uki_path);
  expect_boots(run);
  EXPECT_EQ(run.started_text(), "stub kernel");
  EXPECT_EQ(machine.text(bli::stub_pcr_kernel_image), u"11") << "measured all the same";
}

TEST(StubErrors, AddonsThatCannotBeUsedAreIgnored) {
  Machine machine({.secure_boot = true});
  const Sections line = {{.name = ".cmdline", .content = "extra"}};
  machine.add_image(uki_path, "stub", {{.name = ".uname", .content = "6.1"}, kernel()});
  machine.esp().add(in(own, u"a-unsigned.addon.efi"), sim::program_image("addon", line));
  machine.esp().add(in(own, u"b-broken.addon.efi"), "MZ");
  machine.add_addon(in(own, u"c-empty.addon.efi"), {});
  machine.add_addon(in(own, u"d-kernel.addon.efi"), {line[0], kernel()});
  machine.add_addon(in(own, u"e-other.addon.efi"), {line[0], {.name = ".uname", .content = "6.2"}});
  sample::Pe foreign;
  foreign.machine = pe::Machine::aa64;
  foreign.sections = line;
  const sim::Buffer foreign_file = sample::make(foreign);
  machine.images().trust(foreign_file);
  machine.esp().add(in(own, u"f-foreign.addon.efi"), foreign_file);
  const sim::Run run = machine.run(uki_path);
  expect_boots(run);
  EXPECT_EQ(run.started_text(), "stub kernel");
  EXPECT_EQ(run.find("kernel")->options, u"");
  const auto log = machine.variables().utf8(bli::keelson_log);
  ASSERT_TRUE(log.has_value());
  for (const std::string_view name :
       {"a-unsigned", "b-broken", "c-empty", "d-kernel", "e-other", "f-foreign"})
    EXPECT_NE(log->find(name), std::string::npos) << name;
  EXPECT_TRUE(machine.screen().has_printed("a-unsigned"));
  EXPECT_FALSE(machine.screen().has_printed("e-other")) << "nothing out of the ordinary";
  EXPECT_FALSE(machine.screen().has_printed("f-foreign")) << "nothing out of the ordinary";
}

// A companion file or directory that cannot be read: companions_test.cpp.

TEST(StubErrors, ACompanionTooLargeIsSkippedOneTooLargeForArchivesTakesItsArchive) {
  for (const bool too_large_for_archive : {false, true}) {
    Machine machine;
    machine.add_image(uki_path, "stub", {kernel()});
    machine.esp().add(in(own, u"a.cred"), "1").add(in(own, u"big.cred"), "2");
    machine.esp().add(in(own, u"a.raw"), "3");
    machine.esp().claim_size(in(own, u"big.cred"),
                             too_large_for_archive ? 4_GiB : 1_GiB + 512_MiB + 1);
    const sim::Run run = machine.run(uki_path);
    expect_boots(run);
    std::string wanted;
    if (!too_large_for_archive) wanted += expected::secrets("credentials", {{"a.cred", "1"}});
    wanted += expected::extensions("sysext", {{"a.raw", "3"}});
    ASSERT_TRUE(run.find("kernel")->initrd.has_value());
    EXPECT_EQ(text_of(*run.find("kernel")->initrd), wanted);
    EXPECT_EQ(machine.has(bli::stub_pcr_kernel_parameters), !too_large_for_archive);
    EXPECT_TRUE(machine.screen().has_printed("big.cred"));
  }
}

TEST(StubErrors, CompanionsThatClaimMoreThanTheMemoryTakeOnlyTheirArchive) {
  for (const std::u16string_view name : {u"big.cred", u"big.raw", u"big.confext.raw"}) {
    Machine machine;
    machine.add_image(uki_path, "stub", {kernel()});
    machine.esp().add(in(own, name), "as large as a damaged directory says");
    machine.esp().add(in(u"\\loader\\credentials\\", u"g.cred"), "1");
    machine.esp().claim_size(in(own, name), 1_GiB + 256_MiB);
    const sim::Run run = machine.run(uki_path);
    expect_boots(run);
    ASSERT_EQ(run.started_text(), "stub kernel");
    ASSERT_TRUE(run.find("kernel")->initrd.has_value());
    EXPECT_EQ(text_of(*run.find("kernel")->initrd),
              expected::secrets("global_credentials", {{"g.cred", "1"}}));
    EXPECT_TRUE(machine.screen().has_printed("sample.efi.extra.d")) << machine.screen().printed();
  }
}

TEST(StubErrors, TpmFailureIsNoReasonNotToBoot) {
  for (const bool confidential : {false, true}) {
    Machine machine({.tpm = !confidential, .confidential = confidential});
    machine.add_image(uki_path, "stub", {kernel()});
    machine.calls().fail_every(confidential ? "Cc.HashLogExtendEvent" : "Tcg2.HashLogExtendEvent",
                               efi::status::device_error);
    expect_boots(machine.run(uki_path, u"debug"));
    EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_image));
    EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_parameters));
  }
}

TEST(StubErrors, VariablesThatCannotBeWrittenAreNoReasonNotToBoot) {
  Machine machine;
  machine.add_image(uki_path, "stub", {kernel()});
  machine.calls().fail_every("SetVariable", efi::status::write_protected);
  expect_boots(machine.run(uki_path));
}

TEST(StubErrors, AnInitrdThatCannotBeRegistered) {
  Machine machine;
  machine.add_image(uki_path, "stub", {kernel(), {.name = ".initrd", .content = "initrd"}});
  machine.calls().fail_every("InstallProtocolInterface", efi::status::out_of_resources);
  const sim::Run run = machine.run(uki_path);
  EXPECT_EQ(run.end, sim::End::returned);
  EXPECT_EQ(run.started_text(), "stub");
  EXPECT_EQ(run.status, efi::status::out_of_resources);
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_image)) << "nothing was booted";
}

TEST(StubErrors, OutOfMemoryReturnsToWhoeverStartedUs) {
  Machine machine;
  machine.add_image(uki_path, "stub", {kernel()});
  machine.calls().fail_every("AllocatePages", efi::status::out_of_resources);
  const sim::Run run = machine.run(uki_path);
  EXPECT_EQ(run.end, sim::End::returned);
  EXPECT_EQ(run.status, efi::status::out_of_resources);
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_TRUE(machine.screen().has_printed("out of memory")) << machine.screen().printed();
}

}  // namespace
}  // namespace keelson
