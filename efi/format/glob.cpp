// SPDX-License-Identifier: MIT
//
// Glob matching with one point to return to: the last `*`. An earlier `*` never needs to be taken
// up again, because the last one can absorb whatever it would.
#include "efi/format/glob.h"

#include <cstddef>
#include <optional>

#include "efi/base/text.h"

namespace keelson {
namespace {

struct Step {
  std::size_t pattern_units;  // consumed by the element
  bool matches;
};

// The set whose `[` stands at the front of `pattern`, against `c`. nullopt: it does not end.
template <class Fold>
std::optional<Step> match_set(std::u16string_view pattern, char16_t c, Fold fold) {
  // The member at `at`, which moves behind it; a NUL behind the end.
  const auto take_member = [&](std::size_t& at) {
    if (at < pattern.size() && pattern[at] == u'\\') ++at;
    return at < pattern.size() ? fold(pattern[at++]) : u'\0';
  };
  bool matches = false;
  for (std::size_t at = 1; at < pattern.size();) {
    if (pattern[at] == u']' && at > 1) return Step{at + 1, matches};
    const char16_t low = take_member(at);
    // `-` makes a range with what follows, unless the set ends there. What stands behind a range
    // is a member of its own, so ranges do not chain.
    const bool is_range = at + 1 < pattern.size() && pattern[at] == u'-' && pattern[at + 1] != u']';
    const char16_t high = is_range ? take_member(++at) : low;
    matches = matches || (low <= c && c <= high);
  }
  return std::nullopt;
}

// One element of the pattern other than `*` against one unit.
template <class Fold>
Step match_one(std::u16string_view pattern, char16_t c, Fold fold) {
  switch (pattern.front()) {
    case u'?':
      return {1, true};
    case u'[': {
      const auto set = match_set(pattern, c, fold);
      return set ? *set : Step{0, false};
    }
    case u'\\':
      if (pattern.size() < 2) return {1, false};
      return {2, fold(pattern[1]) == c};
    default:
      return {1, fold(pattern.front()) == c};
  }
}

template <class Fold>
bool match(std::u16string_view pattern, std::u16string_view text, Fold fold) {
  std::size_t p = 0, t = 0;
  std::optional<std::size_t> after_star;  // in the pattern
  std::size_t star_ends = 0;              // in the text: what the star holds ends here
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == u'*') {
      while (p < pattern.size() && pattern[p] == u'*') ++p;
      after_star = p;
      star_ends = t;
      continue;
    }
    if (p < pattern.size()) {
      const Step step = match_one(pattern.substr(p), fold(text[t]), fold);
      if (step.matches) {
        p += step.pattern_units;
        ++t;
        continue;
      }
    }
    if (!after_star) return false;
    p = *after_star;
    t = ++star_ends;
  }
  while (p < pattern.size() && pattern[p] == u'*') ++p;
  return p == pattern.size();
}

}  // namespace

bool glob_match(std::u16string_view pattern, std::u16string_view text) {
  return match(pattern, text, [](char16_t c) { return c; });
}
bool glob_match_ignoring_case(std::u16string_view pattern, std::u16string_view text) {
  return match(pattern, text, [](char16_t c) { return to_lower(c); });
}

}  // namespace keelson
