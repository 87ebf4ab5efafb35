// SPDX-License-Identifier: MIT
//
// The stub as different starters start it (stub.md 3.1, 9): profiles from load options, shell and
// loader, an initrd that is registered already, what the machine's owner adds through SMBIOS, what
// a loader has reported before.
#include <gtest/gtest.h>

#include "efi/firmware/initrd_media.h"
#include "host-tests/format/sample_smbios.h"
#include "host-tests/stub/expected.h"
#include "host-tests/stub/kernel_view.h"
#include "host-tests/stub/start_from.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using expected::padded;
using sim::initrd_of, sim::options_of;
using sim::Machine;
using sim::Starter;
using Sections = std::vector<sample::Section>;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\sample.efi";

// Two profiles; the second replaces the line, masks the initrd and has microcode of its own.
Sections two_profiles() {
  return {{.name = ".osrel", .content = "ID=test\nVERSION_ID=1\nPRETTY_NAME=Test\n"},
          {.name = ".cmdline", .content = "base"},
          {.name = ".initrd", .content = "initrd"},
          {.name = ".linux", .content = sample::text(sim::kernel_image("kernel"))},
          {.name = ".profile", .content = "ID=main\nTITLE=Main\n"},
          {.name = ".profile", .content = "ID=rescue\nTITLE=Rescue\n"},
          {.name = ".cmdline", .content = "rescue"},
          {.name = ".initrd", .content = ""},
          {.name = ".ucode", .content = "microcode"}};
}
std::string extra(std::string_view profile) {
  return expected::archive("", 0555, 0444,
                           {{"os-release", "ID=test\nVERSION_ID=1\nPRETTY_NAME=Test\n"}}) +
         expected::archive("", 0555, 0444, {{"profile", std::string(profile)}});
}

sim::Run start_from(Machine& machine, const std::function<void(Starter&)>& prepare) {
  return sim::start_from(machine, uki_path, prepare);
}

TEST(StubEnvironments, ProfileOfLoadOptions) {
  struct Row {
    std::u16string_view options;
    bool second;
    std::u16string_view line;
    const char* why;
  };
  const Row rows[] = {
      {u"", false, u"base", "none is the first"},
      {u"@0", false, u"base", ""},
      {u"@1", true, u"rescue", ""},
      {u"@1 debug", true, u"debug", "a line behind the selector replaces the profile's"},
      {u"@1  debug", true, u"debug", "only one blank belongs to the selector"},
      {u"@1foo", false, u"@1foo", "no selector, so it is a line"},
      {u" @1", false, u"@1", "not at the beginning"},
      {u"@1\tdebug", false, u"base", "binary: all of it is ignored"},
      {u"\x1\x2\x3", false, u"base", "binary: all of it is ignored"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine;
    machine.add_image(uki_path, "stub", two_profiles());
    const sim::Run run = machine.run(uki_path, row.options);
    EXPECT_EQ(run.end, sim::End::took_over) << run;
    EXPECT_EQ(options_of(run), row.line);
    EXPECT_EQ(machine.text(bli::stub_profile), row.second ? u"1" : u"0");
    EXPECT_EQ(initrd_of(run), row.second ? padded("microcode") + extra("ID=rescue\nTITLE=Rescue\n")
                                         : padded("initrd") + extra("ID=main\nTITLE=Main\n"));
  }
}

TEST(StubEnvironments, ProfileOfTheLoadersEntry) {
  Machine machine;
  machine.add_image(uki_path, "stub", two_profiles());
  machine.variables().set_text(bli::entry_one_shot, u"sample.efi@rescue");
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.started_text(), "loader stub kernel");
  EXPECT_EQ(machine.text(bli::stub_profile), u"1");
  EXPECT_EQ(options_of(run), u"rescue");
}

TEST(StubEnvironments, ArgumentsOfAShell) {
  struct Row {
    std::vector<std::u16string> arguments;
    std::u16string_view profile, line;
    const char* why;
  };
  const Row rows[] = {
      {{u"sample.efi"}, u"0", u"base", "no arguments"},
      {{u"sample.efi", u"@1"}, u"1", u"rescue", "the selector alone"},
      {{u"sample.efi", u"@1", u"a", u"b"}, u"1", u"a b", "and words"},
      {{u"sample.efi", u"a  b", u"c"}, u"0", u"a  b c", "as the shell has parted them"},
      {{u"sample.efi", u"@1 a"}, u"0", u"@1 a", "one argument with a blank is no selector"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine;
    machine.add_image(uki_path, "stub", two_profiles());
    std::vector<char16_t*> argv;
    auto arguments = row.arguments;
    for (std::u16string& argument : arguments) argv.push_back(argument.data());
    efi::ShellParametersProtocol shell{argv.data(), argv.size(), nullptr, nullptr, nullptr};
    const sim::Run run = start_from(machine, [&](Starter& starter) {
      machine.handles().add(starter.image.handle(), efi::protocol_guid::shell_parameters, &shell);
    });
    EXPECT_EQ(run.end, sim::End::took_over) << run;
    EXPECT_EQ(machine.text(bli::stub_profile), row.profile);
    EXPECT_EQ(options_of(run), row.line);
  }
}

TEST(StubEnvironments, AnInitrdRegisteredEarlierComesBehindTheMicrocode) {
  Machine machine;
  machine.add_image(uki_path, "stub",
                    {{.name = ".ucode", .content = "microcode"},
                     {.name = ".initrd", .content = "initrd"},
                     {.name = ".linux", .content = sample::text(sim::kernel_image("kernel"))}});
  efi::InitrdMedia earlier;
  const std::string text = "of the loader";
  const Bytes part = bytes_of(std::string_view(text));
  const sim::Run run = start_from(machine, [&](Starter&) {
    EXPECT_TRUE(earlier.serve({&part, 1}, efi::InitrdMedia::LastPart::as_it_is).has_value());
    machine.payload("kernel", sim::Ending::returns(efi::status::load_error));
  });
  EXPECT_EQ(run.status, efi::status::load_error);
  EXPECT_EQ(initrd_of(run), padded("microcode") + padded(text) + padded("initrd"));
}

// ---- What the machine is ----

const std::string system_words =
    sample::smbios_oem_strings({"io.systemd.stub.kernel-cmdline-extra=  from=smbios\tfast "});

// PCR 1 after the firmware's separator and `structures`.
std::string platform_register(HashAlgorithm bank, const std::vector<std::string>& structures) {
  std::vector<std::string> events = {std::string(4, '\0')};
  events.insert(events.end(), structures.begin(), structures.end());
  return expected::pcr(bank, events);
}

TEST(StubEnvironments, SmbiosIsMeasuredAndItsWordsAreAdded) {
  struct Row {
    bool confidential;
    std::uint32_t told;  // attributes of a variable that says somebody has measured; 0: none
    std::u16string_view line;
    bool words_measured, structures_measured;
    std::string_view why;
  };
  constexpr Row rows[] = {
      {false, 0, u"base from=smbios fast", true, true, "firmware starts us"},
      {false, bli::volatile_attributes, u"base from=smbios fast", true, false,
       "a loader has measured the structures"},
      {false, bli::persistent_attributes, u"base from=smbios fast", true, true,
       "the operating system left it"},
      {true, 0, u"base", false, false, "the host of a confidential guest is not listened to"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.confidential = row.confidential});
    machine.add_image(uki_path, "stub", two_profiles());
    machine.hardware().set_smbios_3(sample::smbios_system({.wake_up = 6}) +
                                    sample::smbios_board("Acme", "Board7") + system_words +
                                    sample::smbios_end());
    const sim::Run run = start_from(machine, [&](Starter&) {
      if (row.told != 0)
        machine.variables().set(bli::loader_pcr_smbios, bytes_of({"1\0\0\0", 4}), row.told);
    });
    EXPECT_EQ(run.end, sim::End::took_over) << run;
    EXPECT_TRUE(run.problems.empty()) << run;
    EXPECT_EQ(options_of(run), row.line);
    std::vector<std::string> words, structures;
    if (row.words_measured) words = {expected::ucs2z("from=smbios fast")};
    // How it was switched on does not count.
    if (row.structures_measured)
      structures = {sample::smbios_system({.wake_up = 0}), sample::smbios_board("Acme", "Board7"),
                    system_words};
    for (const HashAlgorithm bank : all_hash_algorithms) {
      EXPECT_EQ(machine.register_hex(bank, 12), expected::pcr(bank, words));
      EXPECT_EQ(machine.register_hex(bank, 1), platform_register(bank, structures));
    }
    EXPECT_EQ(machine.has(bli::loader_pcr_smbios), row.structures_measured || row.told != 0);
  }
}

TEST(StubEnvironments, TheOwnerSaysHowMuchTheScreenShows) {
  struct Row {
    std::string_view wish;                        // empty: none
    bool confidential, ignored_line, unreadable;  // what is shown
    std::string_view why;
  };
  constexpr Row rows[] = {
      {"", false, false, true, "what is out of the ordinary"},
      {"debug", false, true, true, "all"},
      {"info", false, false, true, "as without a wish"},
      {"err", false, false, false, "a warning is less"},
      {"loud", false, false, true, "no such level"},
      {"err", true, false, true, "the host of a confidential guest is not listened to (R13)"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.confidential = row.confidential, .secure_boot = true});
    machine.add_image(uki_path, "stub", two_profiles());
    machine.esp().add(u"\\loader\\credentials\\a.cred", "1");
    machine.esp().fail(sim::Volume::Operation::open, u"\\loader\\credentials\\a.cred",
                       efi::status::device_error);
    if (!row.wish.empty())
      machine.hardware().set_smbios_3(
          sample::smbios_oem_strings({"io.systemd.boot.loglevel=" + std::string(row.wish)}) +
          sample::smbios_end());
    const sim::Run run = machine.run(uki_path, u"dropped");
    EXPECT_EQ(run.end, sim::End::took_over) << run;
    EXPECT_EQ(machine.screen().has_printed("is ignored"), row.ignored_line);
    EXPECT_EQ(machine.screen().has_printed("a.cred"), row.unreadable);
    const auto log = machine.variables().utf8(bli::keelson_log);
    ASSERT_TRUE(log.has_value());
    EXPECT_NE(log->find("is ignored"), std::string::npos);
    EXPECT_NE(log->find("a.cred"), std::string::npos);
    EXPECT_EQ(log->find("unknown log level") != std::string::npos, row.wish == "loud");
  }
}

TEST(StubEnvironments, ConsolesOfTheMachineAreAddedAndNeverMeasured) {
  struct Row {
    std::string_view embedded;
    std::u16string_view line;
    std::string_view why;
  };
  constexpr Row rows[] = {
      {"quiet", u"quiet console=hvc0 console=tty0", "behind the line"},
      {"", u"console=hvc0 console=tty0", "instead of none"},
      {"quiet console=ttyS1", u"quiet console=ttyS1", "the line names one"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.graphics = true});
    machine.hardware().add_pci_device(0x1af4, 0x1043);
    machine.add_uki(uki_path, {.cmdline = std::string(row.embedded)});
    const sim::Run run = machine.run(uki_path);
    EXPECT_EQ(run.end, sim::End::took_over) << run;
    EXPECT_EQ(options_of(run), row.line);
    EXPECT_TRUE(machine.tpm().pcr(HashAlgorithm::sha256, 12).is_zero());
    EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_parameters));
  }
}

}  // namespace
}  // namespace keelson
