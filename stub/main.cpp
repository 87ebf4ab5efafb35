// SPDX-License-Identifier: MIT
//
// The contents page of the stub: one line per step (stub.md 0). A step that may fail without
// consequence says so where it is called.
#include "stub/main.h"

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/log.h"
#include "efi/firmware/times.h"
#include "stub/initrd.h"
#include "stub/measure.h"
#include "stub/observe.h"
#include "stub/publish.h"
#include "stub/start_linux.h"

namespace keelson::stub {
namespace {

// Last before the kernel: it never comes back in a boot that works.
void hand_over_reports(const efi::Image& self, efi::Log& log, efi::Times& times) {
  proceed_despite(times.publish(self.variables()), "only measurements of time are lost");
  proceed_despite(log.publish(self.variables()), "the messages were only for diagnosis");
}

Result<> measure_and_report(const efi::Tpm& tpm, Plan& plan, efi::Log& log) {
  Outcomes outcomes;
  const Result<> measured = measure(tpm, plan.measurements.items(), outcomes);
  if (!measured.has_value())
    log.tell(Severity::warning,
             "measuring failed, secrets bound to PCRs will not unlock: ", measured.error());
  return plan_pcr_variables({outcomes.begin(), outcomes.size()}, plan.texts, plan.variables);
}

Result<> boot_with(efi::Image& self, efi::Log& log, efi::Times& times) {
  TextArena texts;
  const efi::Tpm tpm = efi::Tpm::find();
  const Facts facts = TRY(observe(self, tpm, texts));
  times.mark("stub-observe");
  Plan plan = TRY(plan_boot(facts));
  if (plan.passed_line_ignored)
    log.info("the command line that was passed is ignored: the image's own counts");
  times.mark("stub-plan");

  TRY(measure_and_report(tpm, plan, log));
  times.mark("stub-measure");
  const Result<> published = publish(self.variables(), plan.variables.items());
  if (!published.has_value()) log.warn("user space sees less: ", published.error());
  times.mark("stub-publish");
  const Initrd initrd = TRY(assemble(plan.initrd, log));
  times.mark("stub-initrd");

  hand_over_reports(self, log, times);
  return start_linux(self, plan.kernel, initrd.parts());
}

}  // namespace

Result<> boot(efi::Image& self) {
  efi::Console console = self.console();
  const efi::Clock clock = self.clock();
  efi::Times times(clock);
  efi::Log log(console, "keelson-stub");
  const Result<> ended = boot_with(self, log, times);
  if (!ended.has_value()) {
    log.tell(Severity::error, "cannot boot this kernel image: ", ended.error());
    proceed_despite(log.publish(self.variables()), "the message is on the screen");
  }
  return ended;
}

}  // namespace keelson::stub
