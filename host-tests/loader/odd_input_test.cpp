// SPDX-License-Identifier: MIT
//
// The whole loader on files and variables that nobody writes on purpose: empty images, variables
// that cannot be read or deleted, names with control characters, and what one attempt leaves for
// the next one of the same boot.
#include <gtest/gtest.h>

#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using sim::End;
using sim::Ending;
using sim::Machine;

// Systemd-bless-boot would bless what came back, because something else has booted.
TEST(LoaderOddInput, ACounterIsNotReportedForTheEntryAfterIt) {
  Machine machine;
  machine.payload("returns", Ending::returns(efi::status::success));
  machine.payload("old", Ending::takes_over());
  machine.add_uki(u"\\EFI\\Linux\\os-2+3.efi", {.kernel = "returns", .version = "2"});
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  machine.keys().press(u'\r');
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.started_text(), "loader stub returns stub old") << run;
  EXPECT_TRUE(machine.esp().exists(u"\\EFI\\Linux\\os-2+2-1.efi"));
  EXPECT_FALSE(machine.has(bli::loader_boot_count_path));
}

TEST(LoaderOddInput, AOneShotThatCannotBeDeletedIsNotObeyedForEver) {
  Machine machine;
  machine.add_uki(u"\\EFI\\Linux\\os.efi");
  machine.esp().add(u"\\loader\\loader.conf", "auto-reboot yes\n");
  machine.variables().set_text(bli::entry_one_shot, u"auto-reboot");
  machine.variables().refuse_writes(bli::entry_one_shot);
  int boots = 0;
  const sim::Run run = machine.boot_through_resets(5, &boots);
  EXPECT_EQ(run.end, End::took_over) << run;
  EXPECT_EQ(boots, 1);
}

// Nobody may be in front of a machine whose firmware does not reset.
TEST(LoaderOddInput, AnActionThatDoesNotHappenIsFollowedByTheCandidate) {
  Machine machine;
  machine.set_resets(false);
  machine.add_uki(u"\\EFI\\Linux\\os.efi");
  machine.esp().add(u"\\loader\\loader.conf", "auto-reboot yes\n");
  machine.variables().set_text(bli::entry_one_shot, u"auto-reboot");
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.end, End::took_over) << run;
  EXPECT_EQ(run.started_text(), "loader stub kernel") << run;
}

TEST(LoaderOddInput, ARescueWithoutItsResetGoesOnAndLeavesNoOneShot) {
  Machine machine;
  machine.set_resets(false);
  machine.payload("broken", Ending::returns(efi::status::load_error));
  machine.payload("old", Ending::takes_over());
  machine.add_uki(u"\\EFI\\Linux\\os-2.efi", {.kernel = "broken", .version = "2"});
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.started_text(), "loader stub broken stub old") << run;
  EXPECT_FALSE(machine.has(bli::entry_one_shot));
}

// It may have been there, so this boot must not begin a rescue that the next one answers.
TEST(LoaderOddInput, AOneShotThatCannotBeReadCountsAsThere) {
  Machine machine;
  machine.payload("broken", Ending::returns(efi::status::load_error));
  machine.payload("old", Ending::takes_over());
  machine.add_uki(u"\\EFI\\Linux\\os-2.efi", {.kernel = "broken", .version = "2"});
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  machine.calls().fail_every("GetVariable", efi::status::device_error, "LoaderEntryOneShot");
  int boots = 0;
  const sim::Run run = machine.boot_through_resets(5, &boots);
  EXPECT_EQ(run.started_text(), "loader stub broken stub old") << run;
  EXPECT_EQ(boots, 1);
}

// LoadImage without bytes would read the file by itself, past what was read and counted.
TEST(LoaderOddInput, AnEmptyImageIsNotReadable) {
  Machine machine;
  machine.esp().add(u"\\empty.efi", "");
  machine.esp().add(u"\\loader\\entries\\empty+3.conf", "title E\nsort-key a\nlinux /empty.efi\n");
  machine.add_uki(u"\\EFI\\Linux\\os.efi");
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.started_text(), "loader stub kernel") << run;
  EXPECT_TRUE(machine.screen().has_printed("\\empty.efi could not be read: the file is empty"))
      << machine.screen().printed();
  EXPECT_TRUE(machine.esp().exists(u"\\loader\\entries\\empty+3.conf")) << "nothing is written";
}

TEST(LoaderOddInput, TheReasonOfAStubIsShownAndKept) {
  Machine machine;
  machine.payload("old", Ending::takes_over());
  machine.add_program(u"\\stub.efi", "stub");
  machine.esp().add(u"\\loader\\entries\\a.conf", "title A\nsort-key a\nuki /stub.efi\n");
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "old", .version = "1"});
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.started_text(), "loader stub stub old") << run;
  EXPECT_TRUE(machine.screen().has_printed("could not be started: cannot boot this kernel image"))
      << machine.screen().printed();
}

TEST(LoaderOddInput, AVolumeThatCannotBeOpenedIsNamed) {
  Machine machine;
  machine.calls().fail_every("OpenProtocol", efi::status::unsupported, "SimpleFileSystem");
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.end, End::returned) << run;
  EXPECT_TRUE(machine.screen().has_printed("Booting from a network needs the image of a disk"))
      << machine.screen().printed();
}

TEST(LoaderOddInput, TheStatusPageHasAllOfLongOptions) {
  Machine machine;
  std::string options;
  for (int i = 0; i < 150; ++i) options += " word" + std::to_string(i);
  machine.esp().add(u"\\vmlinuz", sim::kernel_image("kernel"));
  machine.esp().add(u"\\loader\\entries\\a.conf",
                    "title A\nlinux /vmlinuz\noptions" + options + "\n");
  machine.keys().press(u' ', 0).press(u'p').press(u' ').press(u'x').press(u'\r');
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.started_text(), "loader kernel") << run;
  EXPECT_TRUE(machine.screen().has_printed("word149")) << machine.screen().printed();
}

TEST(LoaderOddInput, NamesOfFilesDoNotForgeLinesOfTheLog) {
  Machine machine;
  machine.add_uki(u"\\EFI\\Linux\\os.efi");
  machine.esp().add(u"\\loader\\entries\\a\nkeelson-boot: error: forged\x1b[2J.conf", "title A\n");
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.started_text(), "loader stub kernel") << run;
  const std::string log = machine.variables().utf8(bli::keelson_log).value_or("");
  EXPECT_NE(log.find("forged"), std::string::npos) << log;
  EXPECT_EQ(log.find("\nkeelson-boot: error"), std::string::npos) << log;
  EXPECT_EQ(log.find('\x1b'), std::string::npos) << log;
}

}  // namespace
}  // namespace keelson
