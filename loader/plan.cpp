// SPDX-License-Identifier: MIT
//
// The table of the design, row by row. Every branch is a row or one of the sentences below it;
// host-tests/loader/plan_test.cpp walks through all combinations of the inputs.
#include "loader/plan.h"

namespace keelson::loader {
namespace {

std::optional<std::size_t> first_of(std::span<const Candidate> entries, bool bad) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].automatic && !entries[i].failed && !entries[i].returned && entries[i].bad == bad)
      return i;
  return std::nullopt;
}

std::optional<std::size_t> first_to_choose_by_hand(const Circumstances& circumstances) {
  if (circumstances.menu_disabled) return std::nullopt;  // there are no hands without keys
  for (std::size_t i = 0; i < circumstances.entries.size(); ++i)
    if (!circumstances.entries[i].failed) return i;
  return std::nullopt;
}

// Row "read", and where other rows say "as read"; with row "no candidate left" as its other half.
Next another_entry(const Circumstances& circumstances, bool unlock_hint) {
  Next next{.action = Action::menu,
            .countdown_s = menu_after_failure_s,
            .keys = !circumstances.menu_disabled,
            .message = true,
            .unlock_hint = unlock_hint};
  next.highlighted = find_candidate(circumstances.entries);
  if (next.highlighted) return next;
  next.at_zero = AtZero::leave;
  next.highlighted = first_to_choose_by_hand(circumstances);
  if (next.highlighted) return next;
  return {.action = Action::leave, .message = true};
}

Next reset_soon() {
  return {.action = Action::reset, .countdown_s = reset_delay_s, .message = true};
}

// Only worth it if the next boot can know what this one found out.
bool rescue_possible(const Circumstances& circumstances) {
  return circumstances.reboot_on_error == RebootOnError::automatic &&
         !circumstances.began_with_one_shot && !circumstances.one_shot_unwritable &&
         find_candidate(circumstances.entries).has_value();
}

// The next boot has fewer tries, so resets of this kind end by themselves.
bool counts_down(const Attempt& attempt) {
  return attempt.counter_written && attempt.tries_left.value_or(0) > 0;
}

Next after_verify(const Attempt& attempt, const Circumstances& circumstances) {
  if (circumstances.reboot_on_error == RebootOnError::automatic && counts_down(attempt))
    return reset_soon();
  return another_entry(circumstances, false);
}

Next after_start(const Attempt& attempt, const Circumstances& circumstances) {
  if (circumstances.reboot_on_error == RebootOnError::automatic && counts_down(attempt))
    return reset_soon();
  if (!attempt.registers_extended) return another_entry(circumstances, false);
  // Another entry would now be measured wrongly.
  if (!rescue_possible(circumstances)) return another_entry(circumstances, true);
  return {.action = Action::rescue,
          .highlighted = find_candidate(circumstances.entries),
          .countdown_s = rescue_delay_s,
          .keys = !circumstances.menu_disabled,
          .message = true,
          .unlock_hint = true};
}

// A tool that was run to its end, as often as not: whoever ran it chooses what is next. Without
// keys nobody could, so there the countdown does; and a console that fails meanwhile never starts
// the same entry again and again.
Next after_return(const Circumstances& circumstances) {
  if (circumstances.menu_disabled) return another_entry(circumstances, false);
  const auto candidate = find_candidate(circumstances.entries);
  return {.action = Action::menu,
          .highlighted = candidate ? candidate : first_to_choose_by_hand(circumstances),
          .at_zero = candidate ? AtZero::boot_highlighted : AtZero::leave};
}

}  // namespace

std::optional<std::size_t> find_candidate(std::span<const Candidate> entries) {
  const auto good = first_of(entries, false);
  return good ? good : first_of(entries, true);
}

Opening plan_opening(const MenuTimeout& timeout) {
  switch (timeout.mode) {
    case MenuTimeout::Mode::hidden: return Opening::look_for_key;
    case MenuTimeout::Mode::countdown:
    case MenuTimeout::Mode::forced: return Opening::menu;
    case MenuTimeout::Mode::disabled: return Opening::straight;
  }
  return Opening::straight;
}

Next plan_after(Failure failure, const Attempt& attempt, const Circumstances& circumstances) {
  const bool always_reset = circumstances.reboot_on_error == RebootOnError::yes;
  switch (failure) {
    case Failure::own_volume: return {.action = Action::leave, .message = true};
    case Failure::no_entries:
    case Failure::action: return another_entry(circumstances, false);
    case Failure::configuration:
    case Failure::count:
    case Failure::measure: return {.action = Action::proceed};
    case Failure::console: return {.action = Action::end_countdown};
    case Failure::read:
      return always_reset ? reset_soon() : another_entry(circumstances, false);
    case Failure::verify: return always_reset ? reset_soon() : after_verify(attempt, circumstances);
    case Failure::start: return always_reset ? reset_soon() : after_start(attempt, circumstances);
    case Failure::start_returned:
      return after_return(circumstances);
  }
  return {.action = Action::leave, .message = true};
}

}  // namespace keelson::loader
