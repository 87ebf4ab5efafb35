// SPDX-License-Identifier: MIT
//
// The stub as different starters start it (stub.md 3.1, 9): profiles from load options, shell and
// loader, an initrd that is registered already, what the machine's owner adds through SMBIOS, what
// a loader has reported before.
#include <gtest/gtest.h>

#include "efi/firmware/initrd_media.h"
#include "efi/format/device_path.h"
#include "host-tests/format/sample_smbios.h"
#include "host-tests/sim/sample_machine.h"
#include "host-tests/stub/expected.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using expected::padded;
using sim::Machine;
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

std::string initrd_of(const sim::Run& run) {
  const sim::Started* const kernel = run.find("kernel");
  if (kernel == nullptr || !kernel->initrd) return "(none)";
  return std::string(text_of(*kernel->initrd));
}
std::u16string options_of(const sim::Run& run) {
  const sim::Started* const kernel = run.find("kernel");
  return kernel == nullptr ? u"(none)" : kernel->options;
}

// Starts the UKI from a program that prepares something first.
struct Starter {
  efi::Image& self;
  efi::LoadedImage image;
};
sim::Run start_from(Machine& machine, const std::function<void(Starter&)>& prepare) {
  // A kernel that takes over never comes back to what was made below.
  const std::vector<std::byte> file = machine.esp().content(uki_path);
  return machine.run([&](efi::Image& self) -> Result<> {
    TextArena texts;
    const Bytes volume = TRY(efi::device_path_of(self.device()));
    const MutableBytes room = TRY(texts.reserve(
        volume.size() + device_path::file_path_size(uki_path) + device_path::end_size, 8));
    Writer writer(room);
    TRY(device_path::append_file_on(writer, volume, uki_path));
    Starter starter{self, TRY(efi::LoadedImage::load(self, {.device_path = room, .source = file}))};
    prepare(starter);
    return starter.image.start();
  });
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

// In PCR 1: the separator.
constexpr std::size_t firmwares_own = 1;

// SMBIOS of a machine whose owner adds words; wake-up types differ from boot to boot.
struct Tables {
  explicit Tables(char wake_up)
      : structures(
            sample::smbios_system({.wake_up = wake_up}) + sample::smbios_board("Acme", "Board7") +
            sample::smbios_oem_strings({"io.systemd.stub.kernel-cmdline-extra=from=smbios"}) +
            sample::smbios_end()),
        entry_point(
            sample::smbios_entry_point_3(reinterpret_cast<std::uintptr_t>(structures.data()),
                                         static_cast<std::uint32_t>(structures.size()))) {}
  std::string structures, entry_point;
};

sim::Run start_with(Machine& machine, Tables& tables) {
  EFI_CONFIGURATION_TABLE table{};
  std::memcpy(&table.VendorGuid, &efi::table_guid::smbios3, sizeof(table.VendorGuid));
  table.VendorTable = tables.entry_point.data();
  return start_from(machine, [&](Starter&) {
    machine.table().ConfigurationTable = &table;
    machine.table().NumberOfTableEntries = 1;
  });
}

TEST(StubEnvironments, SmbiosIsMeasuredAndItsWordsAreAdded) {
  std::string pcr_1;
  for (const char wake_up : {'\1', '\6'}) {
    Machine machine;
    machine.add_image(uki_path, "stub", two_profiles());
    Tables tables(wake_up);
    const sim::Run run = start_with(machine, tables);
    EXPECT_EQ(run.end, sim::End::took_over) << run;
    EXPECT_EQ(options_of(run), u"base from=smbios");
    EXPECT_EQ(machine.register_hex(HashAlgorithm::sha256, 12),
              expected::pcr(HashAlgorithm::sha256, {expected::ucs2z("from=smbios")}));
    EXPECT_EQ(machine.tpm().events_in(1), firmwares_own + 3);
    EXPECT_EQ(machine.text(bli::loader_pcr_smbios), u"1");
    const std::string value = machine.register_hex(HashAlgorithm::sha256, 1);
    if (!pcr_1.empty()) EXPECT_EQ(value, pcr_1) << "how it was switched on does not count";
    pcr_1 = value;
  }
}

TEST(StubEnvironments, TheHostOfAConfidentialGuestIsNotListenedTo) {
  Machine machine({.confidential = true});
  machine.add_image(uki_path, "stub", two_profiles());
  Tables tables(6);
  const sim::Run run = start_with(machine, tables);
  EXPECT_EQ(options_of(run), u"base");
  EXPECT_EQ(machine.tpm().events_in(1), firmwares_own);
  EXPECT_FALSE(machine.has(bli::loader_pcr_smbios));
}

TEST(StubEnvironments, SmbiosThatALoaderHasMeasuredIsNotMeasuredAgain) {
  Machine machine;
  machine.add_image(uki_path, "stub", two_profiles());
  Tables tables(6);
  EFI_CONFIGURATION_TABLE table{};
  std::memcpy(&table.VendorGuid, &efi::table_guid::smbios3, sizeof(table.VendorGuid));
  table.VendorTable = tables.entry_point.data();
  const sim::Run run = start_from(machine, [&](Starter&) {
    machine.table().ConfigurationTable = &table;
    machine.table().NumberOfTableEntries = 1;
    machine.variables().set_text(bli::loader_pcr_smbios, u"1");
  });
  EXPECT_EQ(options_of(run), u"base from=smbios");
  EXPECT_EQ(machine.tpm().events_in(1), firmwares_own);
}

}  // namespace
}  // namespace keelson
