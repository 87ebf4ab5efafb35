// SPDX-License-Identifier: MIT
//
// Owns the way from keys to a choice: shows the menu or looks for a key that is already there, counts
// down, and writes what the menu changed once when it is left. What keys mean is menu.h's.
#pragma once

#include "loader/observe.h"

namespace keelson::loader {

// How the user is asked.
struct Question {
  Opening opening = Opening::menu;
  std::size_t highlighted = 0;
  std::optional<std::uint32_t> countdown_s = std::nullopt;
  AtZero at_zero = AtZero::boot_highlighted;
  bool keys = true;
  Line notice = {};  // what went wrong before; empty: nothing
};

struct Choice {
  enum class What : std::uint8_t {
    start,
    power_off,
    reboot,
    firmware_setup,
    leave,          // as the user wants
    leave_at_zero,  // nobody chose anything
  };
  What what = What::start;
  std::size_t entry = 0;
  std::optional<std::u16string_view> edited = std::nullopt;  // in facts.texts
  bool by_itself = false;  // no menu was shown: a key may still ask for it
};

Choice choose(const Machine& machine, Facts& facts, const Question& question);

// Waits `seconds`, with `keys` until one is pressed; whether there was one. A keyboard or timer that
// fails ends it at once.
bool wait(const Machine& machine, std::uint32_t seconds, bool keys);

}  // namespace keelson::loader
