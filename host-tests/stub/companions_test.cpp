// SPDX-License-Identifier: MIT
//
// Companion files and add-ons on the simulated machine: what the kernel gets of them, what is
// measured, and that one which is bad takes nothing else with it.
#include <gtest/gtest.h>

#include <algorithm>

#include "host-tests/stub/expected.h"
#include "host-tests/stub/kernel_view.h"
#include "host-tests/stub/start_from.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using expected::extensions;
using expected::padded;
using expected::pcr;
using expected::secrets;
using expected::ucs2z;
using sim::initrd_of, sim::options_of;
using sim::Machine;
using Events = std::vector<std::string>;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\sample+3-0.efi";
constexpr std::u16string_view own = u"\\EFI\\Linux\\sample.efi.extra.d\\";
constexpr std::u16string_view credentials = u"\\loader\\credentials\\";
constexpr std::u16string_view global_extensions = u"\\loader\\extensions\\";
constexpr std::u16string_view global_addons = u"\\loader\\addons\\";

std::u16string in(std::u16string_view directory, std::u16string_view name) {
  return std::u16string(directory) + std::u16string(name);
}

const std::string kernel_file = sample::text(sim::kernel_image("kernel"));

std::vector<sample::Section> bare_sections() {
  return {{.name = ".osrel", .content = "ID=test\n"}, {.name = ".linux", .content = kernel_file}};
}
const std::string osrel_archive = expected::archive("", 0555, 0444, {{"os-release", "ID=test\n"}});

void expect_good(const sim::Run& run) {
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_EQ(run.started_text(), "stub kernel");
}

// A machine with a UKI that has no command line of its own.
struct Case {
  explicit Case(const sim::Options& options = {}) : machine(options) {
    machine.add_image(uki_path, "stub", bare_sections());
  }
  sim::Run run(std::u16string_view options = {}) { return machine.run(uki_path, options); }
  void expect_pcr(std::uint32_t index, const Events& events) {
    for (const HashAlgorithm bank : machine.tpm().banks())
      EXPECT_EQ(machine.register_hex(bank, index), pcr(bank, events))
          << "PCR " << index << ", " << name(bank);
  }
  bool logged(std::string_view text) {
    const auto log = machine.variables().utf8(bli::keelson_log);
    return log && log->find(text) != std::string::npos;
  }
  Machine machine;
};

TEST(StubCompanions, EverythingTogether) {
  Case c;
  auto& esp = c.machine.esp();
  c.machine.add_addon(in(global_addons, u"Z.addon.efi"), {{.name = ".cmdline", .content = "z "},
                                                          {.name = ".ucode", .content = "ucode z"},
                                                          {.name = ".initrd", .content = "rd z"}});
  c.machine.add_addon(in(global_addons, u"a.ADDON.efi"),
                      {{.name = ".cmdline", .content = "a=1\n"}});
  c.machine.add_addon(in(own, u"own.addon.efi"), {{.name = ".initrd", .content = "rd own"},
                                                  {.name = ".ucode", .content = "ucode own"},
                                                  {.name = ".cmdline", .content = "own"}});
  esp.add(in(own, u"a.cred"), "2").add(in(own, u"B.cred"), "1").add(in(own, u"notes.txt"), "no");
  esp.add(in(credentials, u"g.cred"), "global").add(in(credentials, u"x.raw"), "not looked for");
  esp.add(in(own, u"s.raw"), "system").add(in(own, u"S.sysext.raw"), "first");
  esp.add(in(own, u"c.confext.raw"), "configuration");
  esp.add(in(global_extensions, u"gs.raw"), "gsys")
      .add(in(global_extensions, u"g.CONFEXT.raw"), "");
  esp.add(in(global_extensions, u"g.cred"), "not looked for");

  const sim::Run run = c.run(u"debug");
  expect_good(run);
  EXPECT_EQ(options_of(run), u"debug z a=1 own");
  const std::string credential = secrets("credentials", {{"B.cred", "1"}, {"a.cred", "2"}});
  const std::string global_credential = secrets("global_credentials", {{"g.cred", "global"}});
  const std::string sysext = extensions("sysext", {{"S.sysext.raw", "first"}, {"s.raw", "system"}});
  const std::string global_sysext = extensions("global_sysext", {{"gs.raw", "gsys"}});
  const std::string confext = extensions("confext", {{"c.confext.raw", "configuration"}});
  const std::string global_confext = extensions("global_confext", {{"g.CONFEXT.raw", ""}});
  c.expect_pcr(12, {ucs2z("debug"), ucs2z("z a=1 own"), credential, global_credential, confext,
                    global_confext, "ucode own", "ucode z", "rd z", "rd own"});
  c.expect_pcr(13, {sysext, global_sysext});
  c.expect_pcr(11,
               {std::string(".linux\0", 7), kernel_file, std::string(".osrel\0", 7), "ID=test\n",
                std::string(".sbat\0", 6), "sbat,1,SBAT Version,sbat,1,https://example.com\n"});
  EXPECT_EQ(initrd_of(run), padded("ucode own") + padded("ucode z") + credential +
                                global_credential + sysext + global_sysext + confext +
                                global_confext + osrel_archive + padded("rd z") + padded("rd own"));
  EXPECT_EQ(c.machine.text(bli::stub_pcr_kernel_parameters), u"12");
  EXPECT_EQ(c.machine.text(bli::stub_pcr_initrd_sysexts), u"13");
  EXPECT_EQ(c.machine.text(bli::stub_pcr_initrd_confexts), u"12");
  EXPECT_TRUE(c.machine.screen().text().empty()) << "a healthy boot is silent";
}

TEST(StubCompanions, EventsAreDescribedAsOthersLookForThem) {
  Case c;
  c.machine.esp().add(in(own, u"a.cred"), "1").add(in(credentials, u"a.cred"), "1");
  c.machine.esp().add(in(own, u"a.raw"), "1").add(in(global_extensions, u"a.raw"), "1");
  c.machine.esp().add(in(own, u"a.confext.raw"), "1");
  c.machine.esp().add(in(global_extensions, u"a.confext.raw"), "1");
  c.machine.add_addon(in(own, u"Mixed.Addon.efi"),
                      {{.name = ".initrd", .content = "rd"}, {.name = ".ucode", .content = "uc"}});
  expect_good(c.run());
  Events seen;
  for (const sim::LoggedEvent& event : c.machine.tpm().events()) {
    if (event.index != 12 && event.index != 13) continue;
    Bytes data = event.data;
    std::string text = std::to_string(event.index) + (event.type == 6 ? " tag " : " ");
    if (event.type == 6) {
      for (std::size_t i = 0; i < 4; ++i)
        text += "0123456789abcdef"[static_cast<unsigned>(data[3 - i]) >> 4],
            text += "0123456789abcdef"[static_cast<unsigned>(data[3 - i]) & 15];
      text += " ";
      data = data.subspan(8);
    }
    for (std::size_t at = 0; at + 2 < data.size(); at += 2) text += static_cast<char>(data[at]);
    seen.push_back(text);
  }
  const Events wanted = {"12 Credentials initrd",
                         "12 Global credentials initrd",
                         "13 System extension initrd",
                         "13 Global system extension initrd",
                         "12 Configuration extension initrd",
                         "12 Global configuration extension initrd",
                         "12 tag dac08e1a Mixed.Addon.efi",
                         "12 tag 49dffe0f Mixed.Addon.efi"};
  EXPECT_EQ(seen, wanted);
}

// stub.md 2.6: confirmed by booting systemd 261.
TEST(StubCompanions, TheVectorOfPcr12) {
  Machine machine;
  auto sections = bare_sections();
  sections.push_back({.name = ".profile", .content = "ID=p0\n"});
  sections.push_back({.name = ".profile", .content = "ID=p1\n"});
  machine.add_image(uki_path, "stub", sections);
  machine.esp().add(in(own, u"a.cred"), "hello");
  const sim::Run run = machine.run(uki_path, u"@1 console=ttyS0 debug");
  expect_good(run);
  EXPECT_EQ(machine.register_hex(HashAlgorithm::sha256, 12),
            "59d8713c26c5add06518ac688b74fbe996f5b980e1a22bb6a5c5b2e15921a126");
  EXPECT_EQ(initrd_of(run), secrets("credentials", {{"a.cred", "hello"}}) + osrel_archive +
                                expected::archive("", 0555, 0444, {{"profile", "ID=p1\n"}}))
      << "the profile is handed on";
}

TEST(StubCompanions, WithoutAnyThereIsNoEventAndNoArchive) {
  Case c;
  c.machine.esp().add_directory(u"\\loader\\credentials");
  c.machine.esp().add_directory(u"\\EFI\\Linux\\sample.efi.extra.d");
  c.machine.esp().add(in(own, u"README"), "no companion");
  const sim::Run run = c.run();
  expect_good(run);
  EXPECT_EQ(initrd_of(run), osrel_archive.substr(0));
  c.expect_pcr(12, {});
  c.expect_pcr(13, {});
  EXPECT_FALSE(c.machine.has(bli::stub_pcr_kernel_parameters));
  EXPECT_FALSE(c.machine.has(bli::stub_pcr_initrd_sysexts));
  for (const std::u16string_view directory :
       {u"\\loader\\addons", u"\\loader\\credentials", u"\\loader\\extensions",
        u"\\EFI\\Linux\\sample.efi.extra.d"})
    EXPECT_LE(c.machine.esp().usage(directory).opens, 1u) << sim::ascii(directory);
}

TEST(StubCompanions, HostileNamesReachNothing) {
  Case c;
  for (const std::u16string_view name : {u"a/b.cred", u".cred", u".hidden.cred", u"a\x1b[31m.cred",
                                         u"a\x7f.cred", u"\xe4.cred", u"\x2603.cred", u"..x.cred"})
    c.machine.esp().add(in(own, name), "hostile");
  c.machine.esp().add_directory(in(own, u"directory.cred"));
  c.machine.esp().add(in(own, u"\xe4.addon.efi"), "never loaded");
  c.machine.esp().add(in(own, u"good.cred"), "good");
  const sim::Run run = c.run();
  expect_good(run);
  const std::string archive = secrets("credentials", {{"good.cred", "good"}});
  c.expect_pcr(12, {archive});
  EXPECT_EQ(initrd_of(run), archive + osrel_archive);
  EXPECT_TRUE(c.logged("not printable ASCII"));
}

TEST(StubCompanions, AFileThatCannotBeReadIsLeftOutAndNothingElse) {
  using Operation = sim::Volume::Operation;
  struct Row {
    Operation operation;
    std::uint64_t nth;
    const char* why;
  };
  const Row rows[] = {{Operation::open, 1, "cannot be opened"},
                      {Operation::get_info, 1, "does not tell its size"},
                      {Operation::read, 1, "fails at once"},
                      {Operation::read, 2, "fails at its end"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Case c;
    c.machine.esp().add(in(own, u"a.cred"), "1").add(in(own, u"b.cred"), "bad");
    c.machine.esp().add(in(own, u"c.cred"), "3").add(in(own, u"a.raw"), "system");
    c.machine.esp().fail(row.operation, in(own, u"b.cred"), efi::status::device_error, row.nth);
    const sim::Run run = c.run();
    expect_good(run);
    const std::string archive = secrets("credentials", {{"a.cred", "1"}, {"c.cred", "3"}});
    const std::string sysext = extensions("sysext", {{"a.raw", "system"}});
    c.expect_pcr(12, {archive});
    EXPECT_EQ(initrd_of(run), archive + sysext + osrel_archive);
    EXPECT_TRUE(c.machine.screen().has_printed("b.cred")) << c.machine.screen().printed();
    EXPECT_EQ(c.machine.text(bli::stub_pcr_kernel_parameters), u"12");
  }
}

TEST(StubCompanions, AFileOfAnotherLengthThanItSaidIsLeftOut) {
  for (const std::string_view now : {"", "sho", "much longer than it said"}) {
    Case c;
    c.machine.esp().add(in(own, u"a.cred"), "as said").add(in(own, u"b.cred"), "2");
    c.machine.esp().interfere(sim::Volume::When::after, sim::Volume::Operation::get_info,
                              in(own, u"a.cred"), [&](sim::Volume& volume) {
                                volume.add(in(own, u"a.cred"), now);
                                return std::nullopt;
                              });
    const sim::Run run = c.run();
    expect_good(run);
    const std::string archive = secrets("credentials", {{"b.cred", "2"}});
    EXPECT_EQ(initrd_of(run), archive + osrel_archive) << now;
    EXPECT_TRUE(c.machine.screen().has_printed("skipping")) << now;
  }
}

TEST(StubCompanions, AFileThatBecameADirectoryIsLeftOut) {
  Case c;
  c.machine.esp().add(in(own, u"a.cred"), "1").add(in(own, u"b.cred"), "2");
  c.machine.add_addon(in(own, u"a.addon.efi"), {{.name = ".cmdline", .content = "never"}});
  for (const std::u16string_view name : {u"a.cred", u"a.addon.efi"})
    c.machine.esp().interfere(sim::Volume::When::before, sim::Volume::Operation::open,
                              in(own, name), [name](sim::Volume& volume) {
                                volume.remove(in(own, name));
                                volume.add_directory(in(own, name));
                                return std::nullopt;
                              });
  const sim::Run run = c.run();
  expect_good(run);
  const std::string archive = secrets("credentials", {{"b.cred", "2"}});
  EXPECT_EQ(initrd_of(run), archive + osrel_archive);
  EXPECT_EQ(options_of(run), u"");
  EXPECT_TRUE(c.machine.screen().has_printed("a.cred"));
  EXPECT_TRUE(c.machine.screen().has_printed("a.addon.efi"));
}

TEST(StubCompanions, WhenAllFilesAreUnreadableTheDirectoriesAreStillMeasured) {
  Case c;
  c.machine.esp().add(in(own, u"a.cred"), "1");
  c.machine.esp().fail(sim::Volume::Operation::open, in(own, u"a.cred"), efi::status::device_error);
  expect_good(c.run());
  c.expect_pcr(12, {secrets("credentials", {})});
}

TEST(StubCompanions, ADirectoryThatCannotBeReadTakesNoOtherWithIt) {
  for (const std::uint64_t nth : {1u, 2u}) {
    Case c;
    c.machine.esp().add(in(own, u"a.cred"), "1").add(in(own, u"b.cred"), "2");
    c.machine.esp().add(in(credentials, u"g.cred"), "global");
    c.machine.esp().fail(sim::Volume::Operation::read, u"\\EFI\\Linux\\sample.efi.extra.d",
                         efi::status::device_error, nth);
    const sim::Run run = c.run();
    expect_good(run);
    const std::string archive = secrets("global_credentials", {{"g.cred", "global"}});
    EXPECT_EQ(initrd_of(run), archive + osrel_archive);
    c.expect_pcr(12, {archive});
    EXPECT_TRUE(c.logged("nothing is used of"));
  }
}

TEST(StubCompanions, ManyFilesInAnyOrderOfTheDirectory) {
  expected::Files files;
  for (int i = 1000; i < 3000; ++i)
    files.push_back({"f" + std::to_string(i) + ".cred", std::to_string(i)});
  const std::string archive = secrets("credentials", files);
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Case c({.seed = seed});
    for (const auto& [file, content] : files)
      c.machine.esp().add(in(own, std::u16string(file.begin(), file.end())), content);
    const sim::Run run = c.run();
    expect_good(run);
    EXPECT_EQ(initrd_of(run), archive + osrel_archive);
  }
}

// ---- Measuring ----

// What follows when the event numbered `failing` (of PCRs 12 and 13) cannot be measured.
TEST(StubCompanions, WhatCannotBeMeasuredIsLeftOut) {
  enum Part { line, addon_lines, cred, sysext, ucode, initrd, initrd_2, parts };
  const std::string credential = secrets("credentials", {{"a.cred", "1"}});
  const std::string extension = extensions("sysext", {{"a.raw", "2"}});
  const Events events = {ucs2z("debug"), ucs2z("x=1"), credential, extension, "uc", "rd 1", "rd 2"};
  for (int failing = line; failing < parts; ++failing) {
    SCOPED_TRACE(failing);
    Case c;
    c.machine.esp().add(in(own, u"a.cred"), "1").add(in(own, u"a.raw"), "2");
    c.machine.add_addon(in(own, u"1.addon.efi"), {{.name = ".cmdline", .content = "x=1"},
                                                  {.name = ".ucode", .content = "uc"},
                                                  {.name = ".initrd", .content = "rd 1"}});
    c.machine.add_addon(in(own, u"2.addon.efi"), {{.name = ".initrd", .content = "rd 2"}});
    // Which event of its PCR it is, from 1 on.
    const int nth = failing == sysext ? 1 : failing > sysext ? failing : failing + 1;
    c.machine.tpm().fail_event(failing == sysext ? 13 : 12, static_cast<std::uint64_t>(nth));
    const sim::Run run = c.run(u"debug");
    expect_good(run);
    Events left_12, left_13;
    for (int i = line; i < parts; ++i)
      if (i != failing)
        (i == sysext ? left_13 : left_12).push_back(events[static_cast<std::size_t>(i)]);
    c.expect_pcr(12, left_12);
    c.expect_pcr(13, left_13);
    std::string wanted;
    if (failing != ucode) wanted += padded("uc");
    if (failing != cred) wanted += credential;
    if (failing != sysext) wanted += extension;
    wanted += osrel_archive;
    if (failing != initrd) wanted += padded("rd 1");
    if (failing != initrd_2) wanted += padded("rd 2");
    EXPECT_EQ(initrd_of(run), wanted);
    EXPECT_EQ(options_of(run), u"debug x=1") << "a command line goes on without being measured";
    EXPECT_EQ(c.machine.has(bli::stub_pcr_kernel_parameters), failing == sysext);
    EXPECT_EQ(c.machine.has(bli::stub_pcr_initrd_sysexts), failing != sysext);
    EXPECT_TRUE(c.machine.has(bli::stub_pcr_kernel_image));
    EXPECT_TRUE(c.machine.screen().has_printed("measuring failed"));
  }
}

TEST(StubCompanions, WithoutATpmEverythingIsHandedOn) {
  Case c({.tpm = false});
  c.machine.esp().add(in(own, u"a.cred"), "1");
  c.machine.add_addon(in(own, u"a.addon.efi"), {{.name = ".initrd", .content = "rd 1"}});
  const sim::Run run = c.run();
  expect_good(run);
  EXPECT_EQ(initrd_of(run),
            secrets("credentials", {{"a.cred", "1"}}) + osrel_archive + padded("rd 1"));
  EXPECT_FALSE(c.machine.has(bli::stub_pcr_kernel_parameters));
  EXPECT_EQ(c.machine.screen().printed(), "");
}

TEST(StubCompanions, AConfidentialPlatformAloneIsMeasuredAndReported) {
  Case c({.tpm = false, .confidential = true});
  c.machine.esp().add(in(own, u"a.cred"), "1").add(in(own, u"a.raw"), "1");
  expect_good(c.run());
  EXPECT_EQ(c.machine.text(bli::stub_pcr_kernel_parameters), u"12");
  EXPECT_EQ(c.machine.text(bli::stub_pcr_initrd_sysexts), u"13");
}

TEST(StubCompanions, AFailureOfOneMeasuringPathDoesNotSuppressTheOther) {
  const std::string archive = secrets("credentials", {{"a.cred", "1"}});
  for (const bool tpm_fails : {false, true}) {
    Case c({.confidential = true});
    c.machine.esp().add(in(own, u"a.cred"), "1");
    c.machine.calls().fail_every(tpm_fails ? "Tcg2.HashLogExtendEvent" : "Cc.HashLogExtendEvent",
                                 efi::status::device_error);
    const sim::Run run = c.run();
    expect_good(run);
    EXPECT_EQ(c.machine.confidential().value(3).is_zero(), !tpm_fails);
    c.expect_pcr(12, tpm_fails ? Events{} : Events{archive});
    EXPECT_EQ(initrd_of(run), osrel_archive) << "not measured everywhere: not handed on";
    EXPECT_FALSE(c.machine.has(bli::stub_pcr_kernel_parameters));
  }
}

// ---- Add-ons ----

TEST(StubAddons, OnlyThoseThatFitAreUsed) {
  using Sections = std::vector<sample::Section>;
  struct Row {
    Sections sections;
    bool used;
    const char* why;
  };
  const sample::Section line = {.name = ".cmdline", .content = "extra"};
  const auto uname = [](std::string_view text) {
    return sample::Section{.name = ".uname", .content = std::string(text)};
  };
  const Row rows[] = {
      {{line}, true, "a command line"},
      {{line, uname("6.1.0")}, true, "the same kernel version"},
      {{line, uname(std::string_view("6.1.0\0\0", 7))}, true, "padding does not count"},
      {{line, uname("6.1")}, false, "a prefix is another version"},
      {{line, uname("6.1.0\n")}, false, "nothing but NULs is dropped"},
      {{line, uname("6.1.0-1")}, false, "longer"},
      {{line, uname("6.2.0")}, false, "another one"},
      {{uname("6.1.0")}, false, "nothing to use"},
      {{}, false, "nothing at all"},
      {{line, {.name = ".linux", .content = "a kernel"}}, false, "no add-on, but an image"},
      {{line, {.name = ".profile", .content = "ID=x\n"}}, true, "add-ons have no profiles"},
      {{{.name = ".profile", .content = "ID=x\n"}, line}, true, "also behind such a section"},
      {{{.name = ".profile", .content = "ID=x\n"}, line, uname("6.2.0")},
       false,
       "so what it is for counts there too"},
      {{line, {.name = ".profile", .content = "ID=x\n"}, {.name = ".linux", .content = "kernel"}},
       false,
       "and so does a kernel"},
      {{line, {.name = ".profile", .content = "ID=x\n"}, {.name = ".cmdline", .content = "never"}},
       true,
       "of two the first counts"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine;
    auto sections = bare_sections();
    sections.push_back(uname("6.1.0"));
    machine.add_image(uki_path, "stub", sections);
    machine.add_addon(in(own, u"a.addon.efi"), row.sections);
    machine.add_addon(in(own, u"b.addon.efi"), {{.name = ".cmdline", .content = "good"}});
    const sim::Run run = machine.run(uki_path);
    expect_good(run);
    EXPECT_EQ(options_of(run), row.used ? u"extra good" : u"good");
    if (!row.used) {
      const auto log = machine.variables().utf8(bli::keelson_log);
      EXPECT_TRUE(log && log->find("a.addon.efi") != std::string::npos);
    }
  }
}

TEST(StubAddons, SecureBootDecidesWhichAreLoaded) {
  for (const bool secure : {false, true}) {
    Case c({.secure_boot = secure});
    c.machine.esp().add(in(own, u"unsigned.addon.efi"),
                        sim::program_image("addon", {{.name = ".cmdline", .content = "evil"}}));
    c.machine.add_addon(in(own, u"z.addon.efi"), {{.name = ".cmdline", .content = "signed"}});
    const sim::Run run = c.run();
    expect_good(run);
    EXPECT_EQ(options_of(run), secure ? u"signed" : u"evil signed");
    c.expect_pcr(12, {ucs2z(secure ? "signed" : "evil signed")});
    EXPECT_EQ(c.machine.screen().has_printed("unsigned.addon.efi"), secure);
  }
}

TEST(StubAddons, ThoseThatAreNoImagesAreSkipped) {
  for (const std::string_view content : {"", "MZ", "not an image at all"}) {
    Case c;
    c.machine.esp().add(in(global_addons, u"a.addon.efi"), content);
    c.machine.add_addon(in(global_addons, u"b.addon.efi"), {{.name = ".cmdline", .content = "ok"}});
    const sim::Run run = c.run();
    expect_good(run);
    EXPECT_EQ(options_of(run), u"ok");
    EXPECT_TRUE(c.machine.screen().has_printed("a.addon.efi")) << c.machine.screen().printed();
  }
}

TEST(StubAddons, ExtendASignedCommandLineUnderSecureBoot) {
  Machine machine({.secure_boot = true});
  auto sections = bare_sections();
  sections.push_back({.name = ".cmdline", .content = "quiet"});
  machine.add_image(uki_path, "stub", sections);
  machine.add_addon(in(own, u"a.addon.efi"), {{.name = ".cmdline", .content = "debug"}});
  const sim::Run run = machine.run(uki_path, u"init=/bin/sh");
  expect_good(run);
  EXPECT_EQ(options_of(run), u"quiet debug");
}

TEST(StubAddons, AreUnloadedAndNeverStarted) {
  Case c;
  c.machine.payload("addon", sim::Ending::returns(0));
  c.machine.payload("kernel", sim::Ending::returns(efi::status::load_error));
  c.machine.add_addon(in(own, u"a.addon.efi"), {{.name = ".cmdline", .content = "x"}});
  const sim::Run run = c.run();
  EXPECT_EQ(run.end, sim::End::returned);
  EXPECT_EQ(run.started_text(), "stub kernel");
  EXPECT_TRUE(run.problems.empty()) << run;
}

// ---- An initrd that somebody registered before, and the way back ----

// stub.md 9: loaders that do not say where the image lies (I-device path 9).
TEST(StubCompanions, NothingIsLookedForWithoutAVolumeOrAPath) {
  enum Missing { nothing, path, foreign_path, device, file_system };
  struct Row {
    Missing missing;
    bool global, of_image;  // what is looked for and used
    const char* why;
  };
  constexpr Row rows[] = {
      {nothing, true, true, "everything"},
      {path, true, false, "without a path there is no directory of the image's own"},
      {foreign_path, true, false, "the same for a path of other nodes"},
      {device, false, false, "without a device there is no volume"},
      {file_system, false, false, "the volume cannot be opened"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Case c;
    sim::Volume& esp = c.machine.esp();
    c.machine.add_addon(in(global_addons, u"g.addon.efi"), {{.name = ".cmdline", .content = "g"}});
    c.machine.add_addon(in(own, u"a.addon.efi"), {{.name = ".cmdline", .content = "a"}});
    esp.add(in(credentials, u"g.cred"), "2").add(in(own, u"a.cred"), "1");
    esp.add(in(global_extensions, u"g.raw"), "4").add(in(own, u"a.raw"), "3");
    auto memory_path = device_path::linux_initrd_path;
    const sim::Run run = sim::start_from(c.machine, uki_path, [&](sim::Starter& starter) {
      EFI_LOADED_IMAGE_PROTOCOL& record = starter.record();
      if (row.missing == path) record.FilePath = nullptr;
      if (row.missing == foreign_path)
        record.FilePath = reinterpret_cast<EFI_DEVICE_PATH*>(memory_path.data());
      if (row.missing == device) record.DeviceHandle = nullptr;
      if (row.missing == file_system)
        esp.fail(sim::Volume::Operation::open_volume, u"", efi::status::device_error);
    });
    EXPECT_EQ(run.end, sim::End::took_over) << run;
    std::string wanted;
    if (row.of_image) wanted += secrets("credentials", {{"a.cred", "1"}});
    if (row.global) wanted += secrets("global_credentials", {{"g.cred", "2"}});
    if (row.of_image) wanted += extensions("sysext", {{"a.raw", "3"}});
    if (row.global) wanted += extensions("global_sysext", {{"g.raw", "4"}});
    EXPECT_EQ(initrd_of(run), wanted + osrel_archive);
    EXPECT_EQ(options_of(run), row.of_image ? u"g a" : row.global ? u"g" : u"");
    for (const std::u16string_view directory :
         {u"\\loader\\addons", u"\\loader\\credentials", u"\\loader\\extensions"})
      EXPECT_EQ(esp.usage(directory).opens, row.global ? 1u : 0u) << sim::ascii(directory);
    EXPECT_EQ(esp.usage(u"\\EFI\\Linux\\sample.efi.extra.d").opens, row.of_image ? 1u : 0u);
    EXPECT_EQ(c.machine.has(bli::stub_image_identifier),
              row.missing != path && row.missing != foreign_path);
    EXPECT_EQ(c.machine.has(bli::stub_device_part_uuid), row.missing != device);
    EXPECT_EQ(c.machine.screen().printed().starts_with("nothing beside the image is used: "),
              row.missing == file_system)
        << c.machine.screen().printed();
    if (row.missing != file_system) EXPECT_EQ(c.machine.screen().printed(), "");
  }
}

TEST(StubCompanions, VariablesOfThisImageAreTakenBackWhenTheKernelReturns) {
  Case c;
  c.machine.payload("kernel", sim::Ending::returns(efi::status::load_error));
  c.machine.esp().add(in(own, u"a.cred"), "1").add(in(own, u"a.raw"), "1");
  c.machine.esp().add(in(own, u"a.confext.raw"), "1");
  const sim::Run run = c.run();
  EXPECT_EQ(run.end, sim::End::returned);
  EXPECT_TRUE(run.problems.empty()) << run;
  for (const bli::Name& variable : {bli::stub_pcr_kernel_image, bli::stub_pcr_kernel_parameters,
                                    bli::stub_pcr_initrd_sysexts, bli::stub_pcr_initrd_confexts})
    EXPECT_FALSE(c.machine.has(variable)) << sim::ascii(variable.text);
  // The next image would take these for its own loader's.
  for (const bli::Name& variable : {bli::loader_device_part_uuid, bli::loader_image_identifier,
                                    bli::stub_device_part_uuid, bli::stub_image_identifier})
    EXPECT_FALSE(c.machine.has(variable)) << sim::ascii(variable.text);
  for (const bli::Name& variable : {bli::stub_info, bli::stub_features, bli::stub_profile})
    EXPECT_FALSE(c.machine.has(variable)) << sim::ascii(variable.text);
  EXPECT_TRUE(c.machine.has(bli::loader_firmware_info)) << "true of any image";
}

}  // namespace
}  // namespace keelson
