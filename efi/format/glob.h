// SPDX-License-Identifier: MIT
//
// Owns the patterns that choose entries: `?`, `*`, `[a-z]` sets and `\` escapes over the whole
// text. No negation, no classes. Time is bounded by pattern length times text length.
#pragma once

#include <string_view>

namespace keelson {

// A set that does not end and a `\` at the end match nothing; a reversed range is empty.
bool glob_match(std::u16string_view pattern, std::u16string_view text);
// The same with ASCII letters of both lower-cased first.
bool glob_match_ignoring_case(std::u16string_view pattern, std::u16string_view text);

}  // namespace keelson
