// SPDX-License-Identifier: MIT
//
// Messages and delays; every branch is one Action of the plan.
#include "loader/aftermath.h"

#include "loader/system_actions.h"

namespace keelson::loader {
namespace {

Circumstances circumstances_of(const Facts& facts, bool one_shot_unwritable) {
  return {.reboot_on_error = facts.conf.reboot_on_error,
          .menu_disabled = facts.timeout.mode == MenuTimeout::Mode::disabled,
          .began_with_one_shot = facts.wishes.had_one_shot,
          .one_shot_unwritable = one_shot_unwritable,
          .entries = facts.states.items()};
}

Question question_of(const Next& next, const Line& message) {
  Question question{.highlighted = next.highlighted.value_or(0),
                    .countdown_s = next.countdown_s,
                    .at_zero = next.at_zero,
                    .keys = next.keys};
  if (next.message) question.notice = message;
  if (next.unlock_hint)
    question.notice.add(" Unlocking by TPM will not work in this boot; a reset helps.");
  return question;
}

// What needs no reset: a menu, or back to whoever started us.
std::optional<Question> ask_or_leave(const Machine& machine, const Next& next,
                                     const Line& message) {
  if (next.action == Action::menu) return question_of(next, message);
  if (next.message) machine.log.tell(Severity::error, message.text());
  return std::nullopt;
}

// Back from the reset that `wanted` asked for: it did not happen.
std::optional<Question> after_no_reset(const Machine& machine, const Facts& facts,
                                       const Next& wanted, const Line& message) {
  Line longer = message;
  longer.add(" This machine cannot be reset from here.");
  Next next = plan_after(Failure::action, {}, circumstances_of(facts, false));
  next.unlock_hint = wanted.unlock_hint;
  return ask_or_leave(machine, next, longer);
}

std::optional<Question> reset_after(const Machine& machine, const Facts& facts, const Next& next,
                                    const Line& message) {
  const std::uint32_t seconds = next.countdown_s.value_or(0);
  machine.log.tell(Severity::error, message.text(), " Reset in ", seconds, " s, or with a key.");
  wait(machine, seconds, true);
  reboot(machine);
  return after_no_reset(machine, facts, next, message);
}

// The variable is written already.
std::optional<Question> rescue_after(const Machine& machine, const Facts& facts, const Next& next,
                                     const Line& message) {
  const Entry& rescue = facts.list.entries()[*next.highlighted];
  const std::uint32_t seconds = next.countdown_s.value_or(0);
  machine.log.tell(Severity::error, message.text());
  machine.log.tell(Severity::error, "Reset in ", seconds, " s, then ", rescue.shown_title,
                   next.keys ? ". Any key opens the menu." : ".");
  const bool key = wait(machine, seconds, next.keys);
  if (!key) reboot(machine);
  // This boot goes on, and the next one begins as it would have.
  remove_one_shot(machine);
  if (!key) return after_no_reset(machine, facts, next, message);
  Next menu = next;
  menu.countdown_s.reset();
  return question_of(menu, message);
}

std::optional<Question> carry_out(const Machine& machine, const Facts& facts, const Next& next,
                                  const Line& message) {
  switch (next.action) {
    case Action::reset: return reset_after(machine, facts, next, message);
    case Action::rescue: return rescue_after(machine, facts, next, message);
    case Action::menu:
    case Action::proceed:
    case Action::end_countdown:
    case Action::leave: break;
  }
  return ask_or_leave(machine, next, message);
}

void note(Facts& facts, const Ending& ending) {
  Candidate& state = facts.states[ending.entry];
  if (ending.failure == Failure::start_returned)
    state.returned = true;
  else
    state.failed = true;
}

}  // namespace

std::optional<Question> after(const Machine& machine, Facts& facts, const Ending& ending) {
  note(facts, ending);
  Line message;
  describe(message, ending, facts);
  machine.log.error(message.text());

  Next next = plan_after(ending.failure, ending.attempt, circumstances_of(facts, false));
  if (next.action == Action::rescue) {
    const auto written = write_one_shot(machine, facts.list.entries()[*next.highlighted]);
    if (!written.has_value()) {
      machine.log.warn("LoaderEntryOneShot is not written: ", written.error());
      next = plan_after(ending.failure, ending.attempt, circumstances_of(facts, true));
    }
  }
  return carry_out(machine, facts, next, message);
}

std::optional<Question> after_action(const Machine& machine, const Facts& facts,
                                     const Error& error) {
  Line message;
  message.add("That did not work: ");
  print(message, error);
  message.add(".");
  return ask_or_leave(machine, plan_after(Failure::action, {}, circumstances_of(facts, false)),
                      message);
}

std::optional<Question> without_default(const Machine& machine, const Facts& facts) {
  Line message;
  message.add(facts.list.empty()
                  ? "No boot entries were found: there is nothing in \\loader\\entries and "
                    "\\EFI\\Linux."
                  : "No boot entry starts by itself.");
  const Next next = plan_after(Failure::no_entries, {}, circumstances_of(facts, false));
  return carry_out(machine, facts, next, message);
}

}  // namespace keelson::loader
