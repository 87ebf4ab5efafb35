// SPDX-License-Identifier: MIT
//
// Owns the text of the status page (key `p`): what this machine is, what was decided, the entry that
// is highlighted, and the log. Lines only; scrolling is the menu's.
#pragma once

#include "loader/observe.h"

namespace keelson::loader {

// Lines of at most `columns` cells, living in `texts`. Error: out_of_memory.
Result<> compose_status_page(const Machine& machine, const Facts& facts, std::size_t entry,
                             std::size_t columns, TextArena& texts,
                             PageList<std::u16string_view>& lines);

}  // namespace keelson::loader
