// SPDX-License-Identifier: MIT
//
// The contents page of the stub: one line per step (stub.md 0). A step that may fail without
// consequence says so where it is called.
#include "stub/main.h"

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/console_devices.h"
#include "efi/firmware/log.h"
#include "efi/firmware/times.h"
#include "stub/boot_secret.h"
#include "stub/device_trees.h"
#include "stub/gather.h"
#include "stub/hardware.h"
#include "stub/initrd.h"
#include "stub/measure.h"
#include "stub/observe.h"
#include "stub/pinned.h"
#include "stub/plan_boot.h"
#include "stub/plan_image.h"
#include "stub/publish.h"
#include "stub/random_seed.h"
#include "stub/reports.h"
#include "stub/splash.h"
#include "stub/start_linux.h"

namespace keelson::stub {
namespace {

// Last before the kernel: it never comes back in a boot that works.
void hand_over_reports(const efi::Image& self, efi::Log& log, efi::Times& times) {
  proceed_despite(times.publish(self.variables()), "only measurements of time are lost");
  proceed_despite(log.publish(self.variables()), "the messages were only for diagnosis");
}

void tell_of_measuring(const Measurer& measurer, efi::Log& log) {
  if (measurer.first_failure())
    log.tell(Severity::warning, "measuring failed, secrets bound to PCRs will not unlock: ",
             *measurer.first_failure());
}

// As the machine's owner wishes (stub.md 0), who is not heard in a confidential VM.
void set_log_level(const Facts& facts, efi::Log& log) {
  const auto wish = facts.smbios.oem_string("io.systemd.boot.loglevel=");
  if (!wish) return;
  if (const auto level = parse_log_level(*wish))
    log.set_screen_level(*level);
  else
    log.warn("SMBIOS wishes an unknown log level: ", *wish);
}

// Consoles are looked for only where the line names none.
Result<std::u16string_view> complete_line(std::u16string_view line, TextArena& texts) {
  if (has_console_word(line)) return line;
  return with_consoles(line, efi::find_consoles(), texts);
}

// Starts the kernel with everything that the variables speak of, and takes these back if it
// returns.
Result<> start_reported(const efi::Image& self, const KernelStart& kernel,
                        std::span<const Bytes> initrd, std::span<const Variable> reports) {
  const Result<> ended = start_linux(self, kernel, initrd);
  proceed_despite(withdraw(self.variables(), reports), "the kernel's own failure says more");
  return ended;
}

// Candidates that fit this machine become sections like others.
Result<uki::Effective> resolve_sections(const Facts& facts, efi::Log& log) {
  uki::Effective sections = TRY(choose_sections(facts));
  if (has_candidates(facts.uki))
    select_candidates(facts.uki, facts.uki.base(), TRY(facts.uki.profile(facts.request.profile)),
                      observe_hardware(facts.smbios), log, sections);
  return sections;
}

// The files that a thin UKI pins take the place of its sections.
Result<KernelOrigin> resolve_pins(const efi::Image& self, const Facts& facts,
                                  const uki::Effective& sections, Screen& screen, TextArena& texts,
                                  PinnedFiles& files, uki::Contents& contents) {
  const auto pins = TRY(thin_uki::find_pins(facts.uki, sections, texts));
  if (!pins) return KernelOrigin::section;
  files = TRY(read_pinned(self, *pins, screen.console, screen.clock, screen.log));
  files.pin_in(contents);
  return KernelOrigin::pinned_file;
}

Result<> boot_with(efi::Image& self, Screen& screen, efi::Times& times) {
  efi::Log& log = screen.log;
  TextArena texts;
  const efi::Tpm tpm = efi::Tpm::find();
  const Facts facts = TRY(observe(self, tpm, texts));
  set_log_level(facts, log);
  times.mark("stub-observe");

  const uki::Effective sections = TRY(resolve_sections(facts, log));
  uki::Contents contents(facts.uki, sections);
  PinnedFiles files;
  const KernelOrigin origin =
      TRY(resolve_pins(self, facts, sections, screen, texts, files, contents));

  Measurer measurer(tpm);
  ImagePlan image = TRY(plan_image(facts, contents, origin));
  const MeasuredEvents image_results = TRY(measurer.measure(image.events));
  times.mark("stub-image");

  show_splash(TRY(content(contents, UkiSection::splash)), log);
  efi::WriteGate gate;
  pass_random_seed(self, facts.secure_boot, gate, log);
  efi::SecretPages secret_archive;
  archive_boot_secret(self, TRY(content(contents, UkiSection::osrel)), secret_archive, log);
  times.mark("stub-seed");

  Gathered gathered = TRY(gather(self, facts, image, screen));
  DeviceTrees device_trees;
  TRY(device_trees.prepare(image.device_tree, gathered.addons.items(), log));
  times.mark("stub-gather");

  BootPlan plan = TRY(plan_boot(facts, image, gathered));
  if (plan.line.base.passed_ignored)
    log.info("the command line that was passed is ignored: the image's own counts");
  const MeasuredEvents results = TRY(measurer.measure(plan.events));
  tell_of_measuring(measurer, log);
  image.kernel.command_line = TRY(complete_line(plan.line.text, texts));
  times.mark("stub-measure");

  PageList<Variable> reports;
  TRY(plan_reports(facts, texts, reports));
  const MeasuredPlan measured[] = {{image.events, image_results}, {plan.events, results}};
  TRY(plan_pcr_reports(measured, texts, reports));
  const ExtraArchives extra = TRY(make_extra_archives(image));
  const PageList<Bytes> initrd = TRY(plan_initrd({.image = image,
                                                  .gathered = gathered,
                                                  .extra = extra,
                                                  .boot_secret = secret_archive.bytes(),
                                                  .events = plan.events,
                                                  .results = results}));
  times.mark("stub-initrd");

  const Result<> published = publish(self.variables(), reports.items());
  if (!published.has_value()) log.warn("user space sees less: ", published.error());
  times.mark("stub-publish");
  device_trees.install(plan.events, results, log);
  hand_over_reports(self, log, times);
  return start_reported(self, image.kernel, initrd.items(), reports.items());
}

}  // namespace

Result<> boot(efi::Image& self) {
  efi::Console console = self.console();
  const efi::Clock clock = self.clock();
  efi::Times times(clock);
  efi::Log log(console, "keelson-stub");
  Screen screen{console, clock, log};
  const Result<> ended = boot_with(self, screen, times);
  leave_splash();
  if (!ended.has_value()) {
    log.tell(Severity::error, "cannot boot this kernel image: ", ended.error());
    proceed_despite(log.publish(self.variables()), "the message is on the screen");
  }
  return ended;
}

}  // namespace keelson::stub
