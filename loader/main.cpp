// SPDX-License-Identifier: MIT
//
// The contents page of the loader: observe, then rounds of asking and starting until something runs
// or nothing is left. What follows a failure is decided in plan.cpp and carried out in aftermath.cpp.
#include "loader/main.h"

#include "loader/aftermath.h"
#include "loader/choose.h"
#include "loader/observe.h"
#include "loader/start.h"
#include "loader/system_actions.h"

namespace keelson::loader {
namespace {

std::optional<Question> first_question(const Machine& machine, const Facts& facts) {
  if (!facts.default_entry.index || facts.default_entry.reason == DefaultReason::none)
    return without_default(machine, facts);
  Question question{.opening = plan_opening(facts.timeout),
                    .highlighted = *facts.default_entry.index};
  if (facts.timeout.mode == MenuTimeout::Mode::countdown)
    question.countdown_s = facts.timeout.seconds;
  return question;
}

// What the loader returns: the first error, or success if something ran and ended well.
class Outcome {
 public:
  void note(const Ending& ending) {
    const bool returned = ending.failure == Failure::start_returned;
    if (!ended_ || (result_.has_value() && !returned))
      result_ = returned ? Result<>() : Result<>(fail(ending.error));
    ended_ = true;
  }
  void leave_as_wanted() { result_ = {}; }
  const Result<>& result() const { return result_; }

 private:
  Result<> result_ = fail(Errc::not_found, "nothing was started");
  bool ended_ = false;
};

// nullopt: it is over.
std::optional<Question> carry_out(const Machine& machine, Facts& facts, const Choice& choice,
                                  Outcome& outcome) {
  switch (choice.what) {
    case Choice::What::power_off: return after_action(machine, facts, power_off(machine));
    case Choice::What::reboot: return after_action(machine, facts, reboot(machine));
    case Choice::What::firmware_setup: return after_action(machine, facts, reboot_to_firmware(machine));
    case Choice::What::leave: outcome.leave_as_wanted(); return std::nullopt;
    case Choice::What::leave_at_zero: return std::nullopt;
    case Choice::What::start: break;
  }
  const Ending ending = start(machine, facts,
                              {.entry = choice.entry,
                               .edited = choice.edited,
                               .look_for_keys = choice.by_itself});
  if (ending.interrupted) return Question{.highlighted = choice.entry};
  outcome.note(ending);
  return after(machine, facts, ending);
}

Result<> run(const Machine& machine) {
  auto facts = observe(machine);
  if (!facts.has_value()) {
    machine.log.tell(Severity::error, "The loader cannot go on: ", facts.error(), ".");
    return fail(facts.error());
  }
  Outcome outcome;
  std::optional<Question> question = first_question(machine, *facts);
  while (question)
    question = carry_out(machine, *facts, choose(machine, *facts, *question), outcome);
  return outcome.result();
}

}  // namespace

Result<> boot(efi::Image& self) {
  efi::Console console = self.console();
  const efi::Clock clock = self.clock();
  efi::Times times(clock);
  efi::Log log(console, "keelson-boot");
  const efi::Tpm tpm = efi::Tpm::find();
  efi::WriteGate gate;
  const Machine machine{.self = self,
                        .console = console,
                        .clock = clock,
                        .log = log,
                        .times = times,
                        .tpm = tpm,
                        .gate = gate};
  const Result<> outcome = run(machine);
  proceed_despite(log.publish(self.variables()), "the messages were on the screen");
  return outcome;
}

}  // namespace keelson::loader
