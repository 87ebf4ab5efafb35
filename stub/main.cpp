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
#include "stub/initrd.h"
#include "stub/measure.h"
#include "stub/observe.h"
#include "stub/own_image.h"
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
Result<std::u16string_view> complete_line(const LinePlan& line, TextArena& texts, efi::Log& log) {
  if (line.base.passed_ignored)
    log.info("the command line that was passed is ignored: the image's own counts");
  if (has_console_word(line.text)) return line.text;
  return with_consoles(line.text, efi::find_consoles(), texts);
}

// In this order: a first boot secret is made of the seed.
Result<> pass_seed_and_secret(const efi::Image& self, const Facts& facts, const ImagePlan& image,
                              efi::SecretPages& boot_secret, efi::Log& log) {
  efi::WriteGate gate;
  pass_random_seed(self, facts.secure_boot, gate, log);
  archive_boot_secret(self, TRY(content(image.contents, UkiSection::osrel)), boot_secret, log);
  return {};
}

Result<PageList<Variable>> publish_reports(const efi::Image& self, const Facts& facts,
                                           std::span<const MeasuredPlan> measured, TextArena& texts,
                                           efi::Log& log) {
  PageList<Variable> reports;
  TRY(plan_reports(facts, texts, reports));
  TRY(plan_pcr_reports(measured, texts, reports));
  const Result<> published = publish(self.variables(), reports.items());
  if (!published.has_value()) log.warn("user space sees less: ", published.error());
  return reports;
}

// Starts the kernel with everything that the variables speak of, and takes these back if it
// returns.
Result<> start_reported(const efi::Image& self, const KernelStart& kernel,
                        std::span<const Bytes> initrd, std::span<const Variable> reports,
                        efi::Log& log, efi::Times& times) {
  hand_over_reports(self, log, times);
  const Result<> ended = start_linux(self, kernel, initrd);
  proceed_despite(withdraw(self.variables(), reports), "the kernel's own failure says more");
  return ended;
}

Result<> boot_with(efi::Image& self, Screen& screen, efi::Times& times, TextArena& texts) {
  efi::Log& log = screen.log;
  const efi::Tpm tpm = efi::Tpm::find();
  Measurer measurer(tpm);
  const Facts facts = TRY(observe(self, tpm, texts));
  set_log_level(facts, log);
  times.mark("stub-observe");

  const OwnImage own = TRY(resolve_own_image(self, facts, screen, texts));
  ImagePlan image = TRY(plan_image(facts, own.contents, own.origin));
  const MeasuredEvents image_results = TRY(measurer.measure(image.events));
  times.mark("stub-image");

  show_splash(TRY(content(image.contents, UkiSection::splash)), log);
  efi::SecretPages boot_secret;
  TRY(pass_seed_and_secret(self, facts, image, boot_secret, log));
  times.mark("stub-seed");

  Gathered gathered = TRY(gather(self, facts, image, screen));
  DeviceTrees device_trees;
  TRY(device_trees.prepare(image.device_tree, gathered.addons.items(), log));
  times.mark("stub-gather");

  const BootPlan plan = TRY(plan_boot(facts, image, gathered));
  const MeasuredEvents results = TRY(measurer.measure(plan.events));
  tell_of_measuring(measurer, log);
  image.kernel.command_line = TRY(complete_line(plan.line, texts, log));
  times.mark("stub-measure");

  const ExtraArchives extra = TRY(make_extra_archives(image));
  const auto initrd =
      TRY(plan_initrd({image, gathered, extra, boot_secret.bytes(), plan.events, results}));
  times.mark("stub-initrd");

  const MeasuredPlan measured[] = {{image.events, image_results}, {plan.events, results}};
  const auto reports = TRY(publish_reports(self, facts, measured, texts, log));
  times.mark("stub-publish");

  device_trees.install(plan.events, results, log);
  return start_reported(self, image.kernel, initrd.items(), reports.items(), log, times);
}

}  // namespace

Result<> boot(efi::Image& self) {
  efi::Console console = self.console();
  const efi::Clock clock = self.clock();
  efi::Times times(clock);
  efi::Log log(console, "keelson-stub");
  Screen screen{console, clock, log};
  TextArena texts;  // the subject of a failure among them
  const Result<> ended = boot_with(self, screen, times, texts);
  leave_splash();
  if (!ended.has_value()) {
    log.tell(Severity::error, "cannot boot this kernel image: ", screen.subject,
             screen.subject.empty() ? "" : ": ", ended.error());
    proceed_despite(log.publish(self.variables()), "the message is on the screen");
  }
  return ended;
}

}  // namespace keelson::stub
