// SPDX-License-Identifier: MIT
//
// The whole loader on the simulated machine, with real stubs and kernels that do what a test says:
// the scenarios of the design's section 3, over as many boots as they take.
#include <gtest/gtest.h>

#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
namespace scan = efi::scan;
using sim::End;
using sim::Ending;
using sim::Machine;

constexpr std::uint64_t second_ns = 1'000'000'000;

void expect_boots(const sim::Run& run, std::string_view started) {
  EXPECT_EQ(run.end, End::took_over) << run;
  EXPECT_EQ(run.started_text(), started) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
}

void expect_returns(const sim::Run& run) {
  EXPECT_EQ(run.end, End::returned) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
}

// Three versions whose kernels tell which one runs.
void add_versions(Machine& machine) {
  for (const std::string version : {"9", "10", "2"}) {
    machine.payload("kernel" + version, Ending::takes_over());
    const std::string path = "\\EFI\\Linux\\os-" + version + ".efi";
    machine.add_uki(std::u16string(path.begin(), path.end()),
                    {.kernel = "kernel" + version, .version = version});
  }
}

// ---- What starts ----

TEST(LoaderBoot, StartsTheNewestSilently) {
  Machine machine;
  add_versions(machine);
  const sim::Run run = machine.boot();
  expect_boots(run, "loader stub kernel10");
  EXPECT_EQ(machine.screen().printed(), "");
  EXPECT_LT(run.duration_ns, second_ns / 100) << "it waited for something";
  EXPECT_EQ(machine.text(bli::loader_entry_selected), u"os-10.efi");
  EXPECT_EQ(machine.text(bli::loader_info), u"keelson-boot 0.1.0");
  EXPECT_EQ(machine.text(bli::loader_image_identifier), std::u16string(sim::loader_path));
}

TEST(LoaderBoot, OrderOfDirectoriesAndHandlesDoesNotMatter) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Machine machine({.xbootldr = true, .seed = seed});
    add_versions(machine);
    expect_boots(machine.boot(), "loader stub kernel10");
  }
}

TEST(LoaderBoot, PcrsAreThoseThatWerePredicted) {
  Machine machine;
  const auto uki = machine.add_uki(u"\\EFI\\Linux\\a.efi");
  const std::string conf = "default a.conf\n";
  machine.esp().add(u"\\loader\\loader.conf", conf);
  const std::string entry = "title A\nuki /EFI/Linux/a.efi\noptions root=/dev/vda  quiet\n";
  machine.esp().add(u"\\loader\\entries\\a.conf", entry);
  expect_boots(machine.boot(), "loader stub kernel");
  for (const HashAlgorithm bank : all_hash_algorithms) {
    EXPECT_EQ(machine.register_hex(bank, 11), machine.predicted_kernel_pcr(bank, uki));
    // Once by the loader, once by the stub, which is not under Secure Boot and so believes it.
    EXPECT_EQ(machine.register_hex(bank, 12),
              machine.predicted(bank, 12, [](MeasurementList& list) {
                EXPECT_TRUE(list.add_command_line(u"root=/dev/vda  quiet").has_value());
                EXPECT_TRUE(list.add_command_line(u"root=/dev/vda  quiet").has_value());
              }));
  }
  EXPECT_EQ(machine.tpm().events_in(4), 3u) << "separator, loader, UKI";
  EXPECT_EQ(machine.tpm().events_in(5), 2u) << "separator, loader.conf";
}

TEST(LoaderBoot, Type1LinuxGetsItsInitrdsAndOptions) {
  Machine machine({.xbootldr = true});
  const auto kernel = sim::kernel_image("kernel");
  machine.xbootldr().add(u"\\vmlinuz", kernel);
  machine.xbootldr().add(u"\\one.img", "first");
  machine.xbootldr().add(u"\\two.img", "second!");
  machine.xbootldr().add(u"\\loader\\entries\\os.conf",
                         "title OS\nlinux /vmlinuz\ninitrd /one.img\ninitrd /two.img\n"
                         "options a=1\noptions b=2\n");
  const sim::Run run = machine.boot();
  expect_boots(run, "loader kernel");
  ASSERT_NE(run.find("kernel"), nullptr);
  const sim::Started& started = *run.find("kernel");
  EXPECT_EQ(started.path, u"\\vmlinuz");
  ASSERT_TRUE(started.initrd.has_value());
  EXPECT_EQ(text_of(*started.initrd), std::string_view("first\0\0\0second!", 15));
  EXPECT_TRUE(started.options.ends_with(u"a=1 b=2")) << sim::ascii(started.options);
}

TEST(LoaderBoot, XbootldrAppearsWhenItsDiskIsConnected) {
  Machine machine({.xbootldr = true, .fast_boot = true});
  const auto uki = sim::uki_image({.kernel = "kernel"});
  machine.xbootldr().add(u"\\EFI\\Linux\\only-there.efi", uki);
  expect_boots(machine.boot(), "loader stub kernel");
}

// What a loader before the stub has registered lies between the image's own parts.
TEST(LoaderBoot, InitrdsOfAnEntryComeBeforeTheImagesOwn) {
  Machine machine;
  machine.add_uki(u"\\EFI\\Linux\\a.efi", {.initrd = "of the image"});
  machine.esp().add(u"\\side.img", "side");
  machine.esp().add(u"\\loader\\loader.conf", "default a.conf\n");
  machine.esp().add(u"\\loader\\entries\\a.conf",
                    "title A\nlinux /EFI/Linux/a.efi\ninitrd /side.img\n");
  const sim::Run run = machine.boot();
  expect_boots(run, "loader stub kernel");
  ASSERT_TRUE(run.find("kernel")->initrd.has_value());
  EXPECT_TRUE(text_of(*run.find("kernel")->initrd).starts_with("sideof the image"));
}

TEST(LoaderBoot, EveryFileIsReadOnce) {
  Machine machine({.xbootldr = true});
  const auto kernel = sim::kernel_image("kernel");
  machine.esp().add(u"\\vmlinuz", kernel);
  machine.esp().add(u"\\initrd", std::string(3'000'000, 'i'));
  machine.esp().add(u"\\loader\\loader.conf", "timeout 0\n");
  machine.esp().add(u"\\loader\\entries\\a.conf", "title A\nlinux /vmlinuz\ninitrd /initrd\n");
  expect_boots(machine.boot(), "loader kernel");
  EXPECT_EQ(machine.esp().usage(u"\\vmlinuz").bytes_read, kernel.size());
  EXPECT_EQ(machine.esp().usage(u"\\initrd").bytes_read, 3'000'000u);
  EXPECT_EQ(machine.esp().usage(u"\\initrd").opens, 1u);
  EXPECT_EQ(machine.esp().usage(u"\\loader\\entries\\a.conf").opens, 1u);
  EXPECT_EQ(machine.esp().usage(u"\\loader\\loader.conf").opens, 1u);
}

TEST(LoaderBoot, TwoThousandEntries) {
  Machine machine;
  const auto kernel = sim::kernel_image("kernel");
  machine.esp().add(u"\\vmlinuz", kernel);
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "\\loader\\entries\\os-" + std::to_string(i) + ".conf";
    machine.esp().add(std::u16string(name.begin(), name.end()),
                      "title OS\nsort-key os\nversion " + std::to_string(i) +
                          "\nlinux /vmlinuz\noptions number=" + std::to_string(i) + "\n");
  }
  const sim::Run run = machine.boot();
  expect_boots(run, "loader kernel");
  EXPECT_EQ(run.find("kernel")->options, u"number=1999");
}

// ---- Counting ----

TEST(LoaderBoot, CountsDownOverFourBootsAndThenChoosesTheOlder) {
  Machine machine;
  machine.payload("old", Ending::takes_over());
  machine.payload("new", Ending::takes_over());
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  machine.add_uki(u"\\EFI\\Linux\\os-2+3.efi", {.kernel = "new", .version = "2"});
  const std::u16string_view names[] = {u"\\EFI\\Linux\\os-2+2-1.efi", u"\\EFI\\Linux\\os-2+1-2.efi",
                                       u"\\EFI\\Linux\\os-2+0-3.efi"};
  for (const std::u16string_view name : names) {
    const sim::Run run = machine.boot();
    expect_boots(run, "loader stub new");
    EXPECT_TRUE(machine.esp().exists(name)) << sim::ascii(name);
    EXPECT_EQ(machine.text(bli::loader_boot_count_path), std::u16string(name));
    EXPECT_EQ(run.find("stub")->path, std::u16string(name)) << "the path that exists now";
  }
  expect_boots(machine.boot(), "loader stub old");
  EXPECT_TRUE(machine.esp().exists(names[2])) << "a bad entry is not counted further";
  EXPECT_FALSE(machine.has(bli::loader_boot_count_path));
}

TEST(LoaderBoot, AReadOnlyVolumeStillBoots) {
  Machine machine;
  machine.add_uki(u"\\EFI\\Linux\\os+3.efi");
  machine.esp().set_read_only(true);
  expect_boots(machine.boot(), "loader stub kernel");
  EXPECT_FALSE(machine.has(bli::loader_boot_count_path));
  EXPECT_TRUE(machine.esp().writes().empty());
}

// ---- Wishes ----

TEST(LoaderBoot, AOneShotEntryIsUsedOnce) {
  Machine machine;
  add_versions(machine);
  machine.variables().set_text(bli::entry_one_shot, u"os-2.efi");
  expect_boots(machine.boot(), "loader stub kernel2");
  EXPECT_FALSE(machine.has(bli::entry_one_shot));
  expect_boots(machine.boot(), "loader stub kernel10");
}

TEST(LoaderBoot, DefaultsByVariableBeatLoaderConf) {
  Machine machine;
  add_versions(machine);
  machine.esp().add(u"\\loader\\loader.conf", "default os-2*\n");
  expect_boots(machine.boot(), "loader stub kernel2");
  machine.variables().set_text(bli::entry_default, u"os-9.efi");
  expect_boots(machine.boot(), "loader stub kernel9");
}

TEST(LoaderBoot, SavedIsWhatWasBootedLast) {
  Machine machine;
  add_versions(machine);
  machine.esp().add(u"\\loader\\loader.conf", "default @saved\ntimeout 5\n");
  machine.keys().press_scan(scan::down).press(u'\r');
  const sim::Run first = machine.boot();
  EXPECT_EQ(first.started_text(), "loader stub kernel9") << machine.screen().text();
  expect_boots(machine.boot(), "loader stub kernel9");
}

// ---- Menu ----

TEST(LoaderMenu, CountsDownAndBootsTheHighlighted) {
  Machine machine;
  add_versions(machine);
  machine.esp().add(u"\\loader\\loader.conf", "timeout 7\n");
  const sim::Run run = machine.boot();
  expect_boots(run, "loader stub kernel10");
  EXPECT_GE(run.duration_ns, 7 * second_ns);
  EXPECT_LT(run.duration_ns, 8 * second_ns);
  EXPECT_TRUE(machine.screen().has_printed("Sample OS")) << machine.screen().printed();
}

TEST(LoaderMenu, AKeyThatIsAlreadyThereOpensIt) {
  Machine machine;
  add_versions(machine);
  machine.keys().press(u' ', 0).press_scan(scan::down).press_scan(scan::down).press(u'\r');
  expect_boots(machine.boot(), "loader stub kernel2");
}

TEST(LoaderMenu, EditedOptionsAreUsedOnceAndMeasured) {
  Machine machine;
  machine.esp().add(u"\\vmlinuz", sim::kernel_image("kernel"));
  machine.esp().add(u"\\loader\\entries\\a.conf", "title A\nlinux /vmlinuz\noptions quiet\n");
  machine.keys().press(u' ', 0).press(u'e').press_scan(scan::end).type(u" single").press(u'\r');
  const sim::Run run = machine.boot();
  expect_boots(run, "loader kernel");
  EXPECT_EQ(run.find("kernel")->options, u"quiet single");
  EXPECT_EQ(machine.register_hex(HashAlgorithm::sha256, 12),
            machine.predicted(HashAlgorithm::sha256, 12, [](MeasurementList& list) {
              EXPECT_TRUE(list.add_command_line(u"quiet single").has_value());
            }));
  const sim::Run next = machine.boot();
  EXPECT_EQ(next.find("kernel")->options, u"quiet");
}

TEST(LoaderMenu, TheDefaultSetWithDStays) {
  Machine machine;
  add_versions(machine);
  machine.keys().press(u' ', 0).press_scan(scan::down).press(u'D').press(u'\r');
  expect_boots(machine.boot(), "loader stub kernel9");
  EXPECT_TRUE(machine.has(bli::entry_default) || machine.has(bli::entry_preferred));
  expect_boots(machine.boot(), "loader stub kernel9");
}

TEST(LoaderMenu, LeavingItGivesControlBackCleanly) {
  Machine machine;
  add_versions(machine);
  machine.keys().press(u' ', 0).press(u'Q');
  const sim::Run run = machine.boot();
  expect_returns(run);
  EXPECT_EQ(run.started_text(), "loader");
}

// ---- Failures (design, section 3) ----

TEST(LoaderFailure, AnUnsignedEntryIsRefusedAndTheNextBootsAfterTheCountdown) {
  for (const efi::Status refusal : {efi::status::security_violation, efi::status::access_denied}) {
    Machine machine({.secure_boot = true});
    machine.images().set_refusal(refusal);
    machine.payload("old", Ending::takes_over());
    machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
    machine.esp().add(u"\\EFI\\Linux\\os-2.efi", sim::uki_image({.version = "2"}));
    const sim::Run run = machine.boot();
    expect_boots(run, "loader stub old");
    EXPECT_TRUE(machine.screen().has_printed("Secure Boot does not trust it"))
        << machine.screen().printed();
    EXPECT_GE(run.duration_ns, 30 * second_ns);
    EXPECT_LT(run.duration_ns, 32 * second_ns);
    EXPECT_EQ(machine.tpm().events_in(11), 10u) << "only the second UKI";
  }
}

TEST(LoaderFailure, ACountedEntryThatReturnsResetsUntilTheOlderBoots) {
  Machine machine;
  machine.payload("old", Ending::takes_over());
  machine.payload("broken", Ending::returns(efi::status::load_error));
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  machine.add_uki(u"\\EFI\\Linux\\os-2+2.efi", {.kernel = "broken", .version = "2"});
  int boots = 0;
  const sim::Run run = machine.boot_through_resets(10, &boots);
  expect_boots(run, "loader stub old");
  EXPECT_EQ(boots, 3);
  EXPECT_TRUE(machine.esp().exists(u"\\EFI\\Linux\\os-2+0-2.efi"));
}

TEST(LoaderFailure, AnUncountedEntryThatReturnsAfterMeasuringIsRescuedByOneReset) {
  Machine machine;
  machine.payload("old", Ending::takes_over());
  machine.payload("broken", Ending::returns(efi::status::load_error));
  const auto old = machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  machine.add_uki(u"\\EFI\\Linux\\os-2.efi", {.kernel = "broken", .version = "2"});
  int boots = 0;
  const sim::Run run = machine.boot_through_resets(10, &boots);
  expect_boots(run, "loader stub old");
  EXPECT_EQ(boots, 2);
  for (const HashAlgorithm bank : all_hash_algorithms)
    EXPECT_EQ(machine.register_hex(bank, 11), machine.predicted_kernel_pcr(bank, old))
        << "nothing of the broken one is in it";
  EXPECT_FALSE(machine.has(bli::entry_one_shot));
}

TEST(LoaderFailure, WithoutTpmThereIsNothingToReset) {
  Machine machine({.tpm = false});
  machine.payload("old", Ending::takes_over());
  machine.payload("broken", Ending::returns(efi::status::load_error));
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  machine.add_uki(u"\\EFI\\Linux\\os-2.efi", {.kernel = "broken", .version = "2"});
  int boots = 0;
  const sim::Run run = machine.boot_through_resets(10, &boots);
  expect_boots(run, "loader stub broken stub old");
  EXPECT_EQ(boots, 1);
  EXPECT_GE(run.duration_ns, 30 * second_ns);
}

TEST(LoaderFailure, TwoBrokenEntriesNeverResetForEver) {
  for (const bool tpm : {false, true}) {
    Machine machine({.tpm = tpm});
    machine.payload("kernel", Ending::returns(efi::status::load_error));
    machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.version = "1"});
    machine.add_uki(u"\\EFI\\Linux\\os-2.efi", {.version = "2"});
    int boots = 0;
    const sim::Run run = machine.boot_through_resets(10, &boots);
    expect_returns(run);
    EXPECT_EQ(run.status, efi::status::load_error);
    EXPECT_LE(boots, 2);
  }
}

TEST(LoaderFailure, BrokenEntriesWithCountersEndToo) {
  Machine machine;
  machine.payload("kernel", Ending::returns(efi::status::load_error));
  machine.add_uki(u"\\EFI\\Linux\\os-1+3.efi", {.version = "1"});
  machine.add_uki(u"\\EFI\\Linux\\os-2+3.efi", {.version = "2"});
  int boots = 0;
  const sim::Run run = machine.boot_through_resets(30, &boots);
  expect_returns(run);
  EXPECT_LE(boots, 8) << "three tries each, then one rescue";
}

TEST(LoaderFailure, NothingToBootGivesControlBack) {
  Machine machine;
  machine.esp().add(u"\\loader\\loader.conf", "auto-reboot no\nauto-poweroff no\n");
  const sim::Run run = machine.boot();
  expect_returns(run);
  EXPECT_EQ(run.status, efi::status::not_found);
  EXPECT_TRUE(machine.screen().has_printed("No boot entries")) << machine.screen().printed();
}

TEST(LoaderFailure, AMissingFileLeadsToTheNextEntryWithoutAnyWrite) {
  Machine machine;
  machine.payload("old", Ending::takes_over());
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  machine.esp().add(u"\\vmlinuz", sim::kernel_image("kernel"));
  machine.esp().add(u"\\loader\\entries\\new+3.conf",
                    "title New\nsort-key sample\nversion 9\nlinux /vmlinuz\ninitrd /gone\n");
  const sim::Run run = machine.boot();
  expect_boots(run, "loader stub old");
  EXPECT_TRUE(machine.screen().has_printed("\\gone could not be read"))
      << machine.screen().printed();
  EXPECT_TRUE(machine.esp().writes().empty()) << "nothing is counted before everything is read";
}

TEST(LoaderFailure, AToolThatEndsWellLeadsBackToTheMenu) {
  Machine machine;
  machine.payload("tool", Ending::returns(efi::status::success));
  machine.add_program(u"\\tool.efi", "tool");
  machine.esp().add(u"\\loader\\entries\\a.conf", "title Tool\nefi /tool.efi\n");
  machine.keys().press(u'Q', 2000);
  const sim::Run run = machine.boot();
  expect_returns(run);
  EXPECT_EQ(run.started_text(), "loader tool");
  EXPECT_EQ(run.status, efi::status::success);
}

TEST(LoaderFailure, AFirmwareThatDoesNotResetLeadsToTheMenu) {
  Machine machine;
  machine.set_resets(false);
  machine.payload("broken", Ending::returns(efi::status::load_error));
  machine.add_uki(u"\\EFI\\Linux\\os-2+2.efi", {.kernel = "broken", .version = "2"});
  machine.keys().press(u' ', 9000).press(u'Q', 2000);
  const sim::Run run = machine.boot();
  expect_returns(run);
  EXPECT_TRUE(machine.screen().has_printed("from here")) << machine.screen().printed();
}

}  // namespace
}  // namespace keelson
