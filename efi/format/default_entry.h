// SPDX-License-Identifier: MIT
//
// Owns which entry starts by itself, and why: from the one-shot, preferred and default variables
// and settings. Pure functions over the sorted list. Which one follows when it failed belongs to
// loader/plan.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "efi/format/entry_list.h"

namespace keelson {

// Values are ids, globs or `@saved`; nullopt (empty for settings): not set.
struct DefaultSources {
  std::optional<std::u16string_view> one_shot = {};            // LoaderEntryOneShot
  std::optional<std::u16string_view> preferred_variable = {};  // LoaderEntryPreferred
  std::u16string_view preferred_setting = {};                  // loader.conf
  std::optional<std::u16string_view> default_variable = {};    // LoaderEntryDefault
  std::u16string_view default_setting = {};                    // loader.conf
  std::optional<std::u16string_view> last_booted = {};  // LoaderEntryLastBooted, if it was read
};

enum class DefaultReason : std::uint8_t {
  one_shot,
  preferred_variable,
  preferred_setting,
  default_variable,
  default_setting,
  first_entry,  // nothing set matches: the first that may start by itself
  none,         // nothing may start by itself: the first of the list is only highlighted
};

struct DefaultChoice {
  std::optional<std::size_t> index;  // nullopt only for an empty list
  DefaultReason reason = DefaultReason::none;
};

// Globs of more than max_pattern units match nothing: with 2,000 entries they would cost minutes.
constexpr std::size_t max_pattern = 4096;
// The entry that a value names: equal id first (ignoring case), else the first that matches as
// glob. With `skip_bad`, entries without tries left do not count.
std::optional<std::size_t> find_entry(std::span<const Entry> entries, std::u16string_view value,
                                      bool skip_bad = false);

DefaultChoice choose_default(std::span<const Entry> entries, const DefaultSources& sources);

// Whether LoaderEntryLastBooted is worth reading: some source says `@saved`.
bool needs_last_booted(const DefaultSources& sources);
// Whether the loader remembers what it starts: `@saved` counts where it is in force, a variable
// before its setting.
bool remembers_last_booted(const DefaultSources& sources);
bool is_saved_mark(std::u16string_view value);

}  // namespace keelson
