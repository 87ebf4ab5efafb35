// SPDX-License-Identifier: MIT
//
// Owns the way of one entry from its files to its start: read, count, verify, measure, start
// (loader.md 10; design: "When something fails"). Nothing is written before everything is read.
// What follows when it comes back is plan.h's.
#pragma once

#include <optional>

#include "loader/observe.h"

namespace keelson::loader {

struct Chosen {
  std::size_t entry = 0;
  std::optional<std::u16string_view> edited;  // options, instead of the entry's own
  bool look_for_keys = false;                 // while reading, and before the first write
};

// How it ended. A start that works never does.
struct Ending {
  bool interrupted = false;  // a key asked for the menu; nothing has been written
  std::size_t entry = 0;
  Failure failure = Failure::read;
  Error error{Errc::not_found, "nothing was started"};
  Attempt attempt = {};
  std::u16string_view file = {};  // the one that failed
  std::string_view said = {};     // why, in the words of the image that was started; in facts.texts
};

Ending start(const Machine& machine, Facts& facts, const Chosen& chosen);

// One sentence for the screen: which file, what happened.
void describe(Line& line, const Ending& ending, const Facts& facts);

}  // namespace keelson::loader
