// SPDX-License-Identifier: MIT
//
// The order in which the sources of a default are asked.
#include "efi/format/default_entry.h"

#include "efi/format/glob.h"

namespace keelson {
namespace {

std::optional<std::u16string_view> setting(std::u16string_view value) {
  if (value.empty()) return std::nullopt;
  return value;
}

bool is_saved(std::optional<std::u16string_view> value) { return value && is_saved_mark(*value); }

bool matches_id(const Entry& entry, std::u16string_view value) {
  return equal_ignoring_case(entry.id, value) ||
         (!entry.alias.empty() && equal_ignoring_case(entry.alias, value));
}

bool matches_glob(const Entry& entry, std::u16string_view pattern) {
  return glob_match_ignoring_case(pattern, entry.id) ||
         (!entry.alias.empty() && glob_match_ignoring_case(pattern, entry.alias));
}

template <class Predicate>
std::optional<std::size_t> first_of(std::span<const Entry> entries, Predicate wanted) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (wanted(entries[i])) return i;
  return std::nullopt;
}

}  // namespace

bool is_saved_mark(std::u16string_view value) {
  return equal_ignoring_case(value, std::u16string_view(u"@saved"));
}

std::optional<std::size_t> find_entry(std::span<const Entry> entries, std::u16string_view value,
                                      bool skip_bad) {
  const auto counts = [&](const Entry& entry) { return !skip_bad || !entry.bad(); };
  if (value.empty()) return std::nullopt;
  if (const auto same = first_of(
          entries, [&](const Entry& entry) { return counts(entry) && matches_id(entry, value); }))
    return same;
  if (value.size() > max_pattern) return std::nullopt;
  return first_of(entries,
                  [&](const Entry& entry) { return counts(entry) && matches_glob(entry, value); });
}

DefaultChoice choose_default(std::span<const Entry> entries, const DefaultSources& sources) {
  if (entries.empty()) return {};
  const struct {
    std::optional<std::u16string_view> value;
    DefaultReason reason;
    bool skip_bad, may_be_saved;
  } steps[] = {
      {sources.one_shot, DefaultReason::one_shot, false, false},
      {sources.preferred_variable, DefaultReason::preferred_variable, true, true},
      {setting(sources.preferred_setting), DefaultReason::preferred_setting, true, true},
      {sources.default_variable, DefaultReason::default_variable, false, true},
      {setting(sources.default_setting), DefaultReason::default_setting, false, true},
  };
  for (const auto& step : steps) {
    if (!step.value) continue;
    const auto value = step.may_be_saved && is_saved(step.value) ? sources.last_booted : step.value;
    if (!value) continue;
    if (const auto found = find_entry(entries, *value, step.skip_bad)) return {*found, step.reason};
  }
  if (const auto first =
          first_of(entries, [](const Entry& entry) { return entry.may_start_by_itself(); }))
    return {*first, DefaultReason::first_entry};
  return {0, DefaultReason::none};
}

bool needs_last_booted(const DefaultSources& sources) {
  return is_saved(sources.preferred_variable) || is_saved_mark(sources.preferred_setting) ||
         is_saved(sources.default_variable) || is_saved_mark(sources.default_setting);
}

bool remembers_last_booted(const DefaultSources& sources) {
  return is_saved_mark(sources.default_variable.value_or(sources.default_setting)) ||
         is_saved_mark(sources.preferred_variable.value_or(sources.preferred_setting));
}

}  // namespace keelson
