// SPDX-License-Identifier: MIT
//
// Owns carrying out what plan.h decides after a failure: messages, countdowns, resets, the rescue
// entry of the next boot. Decides nothing itself.
#pragma once

#include "loader/choose.h"
#include "loader/start.h"

namespace keelson::loader {

// What the user is asked next; nullopt: control goes back to whoever started the loader.
std::optional<Question> after(const Machine& machine, Facts& facts, const Ending& ending);
// A reset, power-off or firmware setup that was asked for did not happen: the same.
std::optional<Question> after_action(const Machine& machine, const Facts& facts,
                                     const Error& error);
// Nothing starts by itself: the same, without an attempt before.
std::optional<Question> without_default(const Machine& machine, const Facts& facts);

}  // namespace keelson::loader
