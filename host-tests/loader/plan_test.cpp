// SPDX-License-Identifier: MIT
//
// The table "When something fails": its rows one by one, rules over all combinations of the inputs,
// and a machine that boots again and again with nothing but broken entries.
#include "loader/plan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keelson::loader {
namespace {

constexpr Candidate good{};
constexpr Candidate bad{.bad = true};
constexpr Candidate failed{.failed = true};
constexpr Candidate by_hand{.automatic = false};
constexpr Candidate returned{.returned = true};

constexpr Attempt uncounted{};
constexpr Attempt counted{.counter_written = true, .tries_left = 3};
constexpr Attempt last_try{.counter_written = true, .tries_left = 1};
constexpr Attempt exhausted{.counter_written = true, .tries_left = 0};
constexpr Attempt not_written{.counter_written = false, .tries_left = 3};
constexpr Attempt extended{.registers_extended = true};
constexpr Attempt exhausted_extended{
    .counter_written = true, .tries_left = 0, .registers_extended = true};

constexpr Next proceed{};
constexpr Next leave{.action = Action::leave, .message = true};
constexpr Next reset{.action = Action::reset, .countdown_s = 5, .message = true};

constexpr Next menu(std::size_t highlighted) {
  return {.action = Action::menu, .highlighted = highlighted, .countdown_s = 30, .message = true};
}
constexpr Next hinting(Next next) {
  next.unlock_hint = true;
  return next;
}
constexpr Next without_keys(Next next) {
  next.keys = false;
  return next;
}
constexpr Next leaving(Next next) {
  next.at_zero = AtZero::leave;
  return next;
}
constexpr Next rescue(std::size_t highlighted) {
  return {.action = Action::rescue,
          .highlighted = highlighted,
          .countdown_s = 30,
          .message = true,
          .unlock_hint = true};
}
constexpr Next calm_menu(std::size_t highlighted) {
  return {.action = Action::menu, .highlighted = highlighted};
}

struct Settings {
  RebootOnError reboot_on_error = RebootOnError::automatic;
  bool menu_disabled = false;
  bool began_with_one_shot = false;
  bool one_shot_unwritable = false;
};
constexpr Settings usual{};
constexpr Settings never{.reboot_on_error = RebootOnError::no};
constexpr Settings always{.reboot_on_error = RebootOnError::yes};
constexpr Settings no_menu{.menu_disabled = true};
constexpr Settings one_shot{.began_with_one_shot = true};
constexpr Settings unwritable{.one_shot_unwritable = true};

Circumstances with(const Settings& settings, std::span<const Candidate> entries) {
  return {.reboot_on_error = settings.reboot_on_error,
          .menu_disabled = settings.menu_disabled,
          .began_with_one_shot = settings.began_with_one_shot,
          .one_shot_unwritable = settings.one_shot_unwritable,
          .entries = entries};
}

struct Row {
  Failure failure;
  Attempt attempt;
  Settings settings;
  std::vector<Candidate> entries;
  Next next;
  const char* reason;
};

const std::vector<Candidate> second_left = {failed, good};
const std::vector<Candidate> none_left = {failed, failed};
const std::vector<Candidate> hand_left = {failed, by_hand};

const Row rows[] = {
    {Failure::own_volume, uncounted, usual, {}, leave, "there is no menu without a volume"},
    {Failure::own_volume, uncounted, always, {}, leave, "nor are there settings"},
    {Failure::no_entries, uncounted, usual, {}, leave, "the firmware has other options"},
    {Failure::no_entries, uncounted, usual, {by_hand}, leaving(menu(0)), "30 s for a hand"},
    {Failure::no_entries, uncounted, no_menu, {by_hand}, leave, "no keys, no hand"},
    {Failure::configuration, uncounted, usual, {good}, proceed, "defaults, the entries found"},
    {Failure::configuration, uncounted, always, {good}, proceed, "not an entry's failure"},
    {Failure::console, uncounted, usual, {good}, {.action = Action::end_countdown},
     "as if the countdown had ended"},
    {Failure::count, not_written, usual, {good}, proceed, "R16: the boot goes on"},
    {Failure::count, not_written, always, {good}, proceed, "R16 has no exception"},
    {Failure::measure, uncounted, usual, {good}, proceed, "without the variable"},

    {Failure::read, uncounted, usual, second_left, menu(1), "the menu, then the candidate"},
    {Failure::read, not_written, usual, second_left, menu(1), "nothing was written: no reset"},
    {Failure::read, uncounted, never, second_left, menu(1), "no is as read"},
    {Failure::read, uncounted, always, second_left, reset, "yes always resets"},
    {Failure::read, uncounted, no_menu, second_left, without_keys(menu(1)), "countdown, no keys"},
    {Failure::read, uncounted, usual, {failed, bad, good}, menu(2), "bad ones last"},
    {Failure::read, uncounted, usual, {failed, bad, by_hand}, menu(1), "bad before none"},
    {Failure::read, uncounted, usual, {failed, by_hand, returned, good}, menu(3),
     "returned ones have had their turn"},
    {Failure::read, uncounted, usual, none_left, leave, "at once, with the first error"},
    {Failure::read, uncounted, usual, hand_left, leaving(menu(1)), "30 s for a hand"},
    {Failure::read, uncounted, usual, {failed, returned}, leaving(menu(1)), "a tool may run again"},
    {Failure::read, uncounted, no_menu, hand_left, leave, "no keys, no hand"},
    {Failure::read, uncounted, always, none_left, reset, "yes always resets"},

    {Failure::verify, counted, usual, second_left, reset, "the next boot has fewer tries"},
    {Failure::verify, last_try, usual, second_left, reset, "tries as read, before the rename"},
    {Failure::verify, exhausted, usual, second_left, menu(1), "nothing would count down"},
    {Failure::verify, not_written, usual, second_left, menu(1), "would reset for ever"},
    {Failure::verify, uncounted, usual, second_left, menu(1), "as read"},
    {Failure::verify, extended, usual, second_left, menu(1), "only start asks the registers"},
    {Failure::verify, counted, never, second_left, menu(1), "no never resets"},
    {Failure::verify, uncounted, always, second_left, reset, "yes always resets"},
    {Failure::verify, counted, usual, none_left, reset, "with no candidate too: the tries end"},

    {Failure::start, counted, usual, second_left, reset, "the next boot has fewer tries"},
    {Failure::start, not_written, usual, second_left, menu(1), "would reset for ever"},
    {Failure::start, exhausted, usual, second_left, menu(1), "clean registers: no reset needed"},
    {Failure::start, uncounted, usual, second_left, menu(1), "clean registers: no reset needed"},
    {Failure::start, extended, usual, second_left, rescue(1), "would be measured wrongly"},
    {Failure::start, exhausted_extended, usual, second_left, rescue(1), "no tries: as uncounted"},
    {Failure::start, extended, one_shot, second_left, hinting(menu(1)), "one rescue in a row"},
    {Failure::start, extended, unwritable, second_left, hinting(menu(1)), "no way to say which"},
    {Failure::start, extended, never, second_left, hinting(menu(1)), "no never resets"},
    {Failure::start, extended, always, second_left, reset, "yes always resets"},
    {Failure::start, extended, no_menu, second_left, without_keys(rescue(1)), "no keys"},
    {Failure::start, extended, usual, none_left, leave, "nobody to rescue with"},
    {Failure::start, extended, usual, hand_left, hinting(leaving(menu(1))), "not by itself"},
    {Failure::start, extended, usual, {failed, bad}, rescue(1), "bad is better than none"},

    {Failure::action, uncounted, usual, {good, by_hand}, menu(0), "nobody may be there"},
    {Failure::action, uncounted, usual, {failed, by_hand}, leaving(menu(1)), "30 s for a hand"},
    {Failure::action, uncounted, always, {good}, menu(0), "another reset would not happen either"},
    {Failure::action, uncounted, no_menu, {good}, without_keys(menu(0)), "countdown, no keys"},
    {Failure::action, uncounted, no_menu, {failed, by_hand}, leave, "no keys, no hand"},

    {Failure::start_returned, uncounted, usual, {returned, good}, calm_menu(1), "no countdown"},
    {Failure::start_returned, counted, always, {returned, good}, calm_menu(1), "not an error"},
    {Failure::start_returned, uncounted, usual, {returned}, leaving(calm_menu(0)),
     "a dead console never starts it again and again"},
    {Failure::start_returned, uncounted, no_menu, {returned, good}, without_keys(menu(1)),
     "without keys only a countdown goes on"},
    {Failure::start_returned, uncounted, no_menu, {returned}, leave, "nothing else to start"},
};

TEST(Plan, Table) {
  for (const Row& row : rows)
    EXPECT_EQ(plan_after(row.failure, row.attempt, with(row.settings, row.entries)), row.next)
        << row.reason;
}

constexpr Failure every_failure[] = {Failure::own_volume, Failure::configuration,
                                     Failure::no_entries, Failure::console,
                                     Failure::read,       Failure::count,
                                     Failure::verify,     Failure::measure,
                                     Failure::start,      Failure::start_returned,
                                     Failure::action};

// Calls `check` for every combination of failure, attempt, settings and lists of up to three.
template <class Check>
void for_all_inputs(Check check) {
  std::vector<std::vector<Candidate>> lists = {{}};
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (lists[i].size() == 3) break;
    for (unsigned bits = 0; bits < 16; ++bits) {
      auto longer = lists[i];
      longer.push_back({.automatic = (bits & 1) != 0,
                        .bad = (bits & 2) != 0,
                        .failed = (bits & 4) != 0,
                        .returned = (bits & 8) != 0});
      lists.push_back(longer);
    }
  }
  for (const Failure failure : every_failure)
    for (const auto reboot : {RebootOnError::no, RebootOnError::yes, RebootOnError::automatic})
      for (unsigned bits = 0; bits < 32; ++bits)
        for (const int tries : {-1, 0, 1, 3})
          for (const auto& list : lists) {
            Attempt attempt{.counter_written = (bits & 1) != 0,
                            .registers_extended = (bits & 2) != 0};
            if (tries >= 0) attempt.tries_left = static_cast<std::uint32_t>(tries);
            const Circumstances circumstances{.reboot_on_error = reboot,
                                              .menu_disabled = (bits & 4) != 0,
                                              .began_with_one_shot = (bits & 8) != 0,
                                              .one_shot_unwritable = (bits & 16) != 0,
                                              .entries = list};
            check(failure, attempt, circumstances, plan_after(failure, attempt, circumstances));
          }
}

TEST(Plan, RulesHoldForAllInputs) {
  std::size_t broken = 0;
  const auto require = [&](bool holds, const char* rule, Failure failure) {
    if (!holds && ++broken < 20)
      ADD_FAILURE() << rule << ", failure " << static_cast<int>(failure);
  };
  for_all_inputs([&](Failure failure, const Attempt& attempt, const Circumstances& c,
                     const Next& next) {
    const bool entry_failed =
        failure == Failure::read || failure == Failure::verify || failure == Failure::start;
    const bool resets = next.action == Action::reset || next.action == Action::rescue;
    require(!resets || entry_failed, "only a failed entry resets", failure);
    require(!resets || c.reboot_on_error != RebootOnError::no, "no never resets", failure);
    require(!entry_failed || c.reboot_on_error != RebootOnError::yes ||
                next.action == Action::reset,
            "yes always resets", failure);
    if (next.action == Action::reset && c.reboot_on_error == RebootOnError::automatic)
      require(attempt.counter_written && attempt.tries_left.value_or(0) > 0 &&
                  failure != Failure::read,
              "auto resets only what ends", failure);
    if (next.action == Action::rescue)
      require(failure == Failure::start && attempt.registers_extended && !c.began_with_one_shot &&
                  !c.one_shot_unwritable && next.highlighted.has_value(),
              "a rescue is worth it", failure);
    require(!entry_failed || next.message, "who failed is said", failure);
    require(next.action != Action::menu || next.highlighted.has_value() ||
                failure == Failure::start_returned,
            "a menu has a highlighted entry", failure);
    require(next.action != Action::menu || next.countdown_s.has_value() ||
                (failure == Failure::start_returned && next.keys),
            "no menu waits for keys that cannot come", failure);
    require(!c.menu_disabled || next.action != Action::menu || !next.keys,
            "a disabled menu takes no keys", failure);
    if (next.highlighted) {
      require(*next.highlighted < c.entries.size(), "in the list", failure);
      if (*next.highlighted < c.entries.size()) {
        const Candidate& chosen = c.entries[*next.highlighted];
        require(!chosen.failed, "never what has failed already", failure);
        require(next.at_zero == AtZero::leave || next.action == Action::rescue ||
                    (chosen.automatic && !chosen.returned),
                "by itself only what may start by itself", failure);
      }
    }
  });
  EXPECT_EQ(broken, 0u);
}

// A machine whose entries are all broken in one way each, booted until the firmware gets control
// back. Nobody presses a key.
struct Broken {
  Failure failure;
  bool extends = false;
  int tries = -1;  // -1: not counted
};

// The number of resets; nullopt if it does not end.
std::optional<int> resets_until_left(std::vector<Broken> entries) {
  std::optional<std::size_t> one_shot;
  for (int boots = 0; boots < 100; ++boots) {
    const bool began_with_one_shot = one_shot.has_value();
    std::vector<Candidate> candidates;
    for (const Broken& entry : entries) candidates.push_back({.bad = entry.tries == 0});
    std::optional<std::size_t> chosen = one_shot ? one_shot : find_candidate(candidates);
    one_shot.reset();
    bool reset_now = false;
    while (!reset_now) {
      Broken& entry = entries[*chosen];
      Attempt attempt{.registers_extended = entry.failure == Failure::start && entry.extends};
      if (entry.tries >= 0 && entry.failure != Failure::read) {
        attempt.tries_left = static_cast<std::uint32_t>(entry.tries);
        attempt.counter_written = true;
        entry.tries = entry.tries > 0 ? entry.tries - 1 : 0;
      }
      candidates[*chosen].failed = true;
      const Next next = plan_after(entry.failure, attempt,
                                   {.began_with_one_shot = began_with_one_shot,
                                    .entries = candidates});
      if (next.action == Action::leave) return boots;
      if (next.action == Action::menu && next.at_zero == AtZero::leave) return boots;
      if (next.action == Action::rescue) one_shot = next.highlighted;
      reset_now = next.action == Action::reset || next.action == Action::rescue;
      if (!reset_now) chosen = next.highlighted;
    }
  }
  return std::nullopt;
}

TEST(Plan, BrokenEntriesNeverResetForEver) {
  const Broken kinds[] = {{Failure::read},           {Failure::read, false, 3},
                          {Failure::verify},         {Failure::verify, false, 3},
                          {Failure::start},          {Failure::start, true},
                          {Failure::start, false, 3}, {Failure::start, true, 3},
                          {Failure::start, true, 0}};
  for (const Broken& a : kinds)
    for (const Broken& b : kinds)
      for (const Broken& c : kinds)
        EXPECT_TRUE(resets_until_left({a, b, c}).has_value())
            << static_cast<int>(a.failure) << a.extends << a.tries << ' '
            << static_cast<int>(b.failure) << b.extends << b.tries << ' '
            << static_cast<int>(c.failure) << c.extends << c.tries;
}

TEST(Plan, TwoBrokenEntriesResetOnce) {
  EXPECT_EQ(resets_until_left({{Failure::start, true}, {Failure::start, true}}), 1);
}

TEST(Plan, CountedEntryIsTriedThreeTimes) {
  EXPECT_EQ(resets_until_left({{Failure::start, false, 3}, {Failure::read}}), 3);
}

}  // namespace
}  // namespace keelson::loader
