// SPDX-License-Identifier: MIT
//
// Making entries and ordering them. Titles are kept twice: as given, and as they may be shown.
#include "efi/format/entry_list.h"

#include "efi/base/merge_sort.h"
#include "efi/format/command_line.h"
#include "efi/format/os_release.h"
#include "efi/format/version_order.h"

namespace keelson {
namespace {

Result<std::u16string_view> lower_case(std::initializer_list<std::u16string_view> parts,
                                       TextArena& arena) {
  const auto text = TRY(concatenate(parts, arena));
  const auto room = TRY(arena.reserve_utf16(text.size() + 1));
  for (std::size_t i = 0; i < text.size(); ++i) room[i] = to_lower(text[i]);
  room[text.size()] = 0;
  return std::u16string_view(room.data(), text.size());
}

Result<std::u16string_view> printable(std::initializer_list<std::u16string_view> parts,
                                      TextArena& arena) {
  const auto text = TRY(concatenate(parts, arena));
  const auto room = TRY(arena.reserve_utf16(text.size() + 1));
  for (std::size_t i = 0; i < text.size(); ++i) room[i] = text[i];
  make_printable(room.first(text.size()));
  room[text.size()] = 0;
  return std::u16string_view(room.data(), text.size());
}

Result<std::u16string_view> decimal_text(std::uint64_t number, TextArena& arena) {
  return to_utf16(Decimal(number), BadText::drop, arena);
}

// What the name of the carrying file gives: id, counter, path.
Result<Entry> entry_of_file(std::u16string_view directory, EntrySource source,
                            std::u16string_view name, TextArena& arena) {
  Entry entry;
  entry.source = source;
  entry.file = TRY(EspPath::join(directory, name, arena));
  const auto counted = TRY(parse_counted_name(entry.file.file_name()));
  entry.count = counted.count;
  entry.base_id = TRY(lower_case({counted.stem, counted.suffix}, arena));
  entry.id = entry.base_id;
  return entry;
}

// Id and title of one profile of a UKI whose os-release names it `title`.
Result<> name_profile(Entry& entry, std::u16string_view title, const ProfileText& profile,
                      TextArena& arena) {
  const auto number = TRY(decimal_text(entry.profile, arena));
  const auto profile_title = TRY(to_utf16(profile.title, BadText::replace, arena));
  entry.profile_id = TRY(to_utf16(profile.id, BadText::drop, arena));

  const auto with_id = TRY(lower_case({entry.base_id, u"@", entry.profile_id}, arena));
  if (entry.profile == 0)
    entry.alias = entry.profile_id.empty() ? std::u16string_view() : with_id;
  else if (!entry.profile_id.empty())
    entry.id = with_id;
  else
    entry.id = TRY(concatenate({entry.base_id, u"@", number}, arena));

  if (!profile_title.empty()) {
    entry.title = TRY(concatenate({title, u" (", profile_title, u")"}, arena));
  } else if (entry.profile == 0) {
    entry.title = title;
  } else if (!entry.profile_id.empty()) {
    entry.title = TRY(concatenate({title, u" (", entry.profile_id, u")"}, arena));
  } else {
    const auto place = TRY(decimal_text(std::uint64_t{entry.profile} + 1, arena));
    entry.title = TRY(concatenate({title, u" (Profile #", place, u")"}, arena));
  }
  return {};
}

struct ActionText {
  std::u16string_view id, title;
};
constexpr ActionText action_text(EntryKind kind) {
  switch (kind) {
    case EntryKind::power_off:
      return {u"auto-poweroff", u"Power Off The System"};
    case EntryKind::reboot:
      return {u"auto-reboot", u"Reboot The System"};
    default:
      return {u"auto-reboot-to-firmware-setup", u"Reboot Into Firmware Interface"};
  }
}

// Without counter an entry has infinitely many tries left.
constexpr std::uint64_t tries_left(const Entry& entry) {
  return entry.count ? entry.count->tries_left : ~std::uint64_t{0};
}
constexpr std::uint32_t tries_done(const Entry& entry) {
  return entry.count ? entry.count->tries_done : 0;
}
// Ids without profile suffix belong to profile 0, whatever a Type #1 entry passes on.
constexpr std::uint32_t suffix_profile(const Entry& entry) {
  return entry.kind == EntryKind::type2 ? entry.profile : 0;
}

std::weak_ordering compare_by_sort_key(const Entry& a, const Entry& b) {
  if (const auto order = a.sort_key <=> b.sort_key; order != 0) return order;
  if (const auto order = a.machine_id <=> b.machine_id; order != 0) return order;
  if (const auto order = compare_versions(b.version, a.version); order != 0) return order;
  return a.profile <=> b.profile;
}

// Marks the entries whose shown title another one has too.
Result<PageList<bool>> find_collisions(std::span<const Entry> entries) {
  const auto order = TRY(sorted_indices(entries.size(), [&](std::uint32_t a, std::uint32_t b) {
    return entries[a].shown_title < entries[b].shown_title;
  }));
  PageList<bool> collides;
  for (std::size_t i = 0; i < entries.size(); ++i) TRY(collides.push(false));
  for (std::size_t i = 1; i < order.size(); ++i)
    if (entries[order[i - 1]].shown_title == entries[order[i]].shown_title)
      collides[order[i - 1]] = collides[order[i]] = true;
  return collides;
}

// One round: appends what `field` yields to the titles that collide.
template <class Field>
Result<> distinguish(std::span<Entry> entries, TextArena& arena, Field field) {
  const auto collides = TRY(find_collisions(entries));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::u16string_view addition = field(entries[i]);
    if (!collides[i] || addition.empty()) continue;
    entries[i].shown_title = TRY(printable({entries[i].shown_title, u" (", addition, u")"}, arena));
  }
  return {};
}

}  // namespace

bool is_entry_file(std::u16string_view name, std::u16string_view suffix) {
  constexpr std::u16string_view reserved = u"auto-";
  if (name.starts_with(u'.') || !ends_with_ignoring_case(name, suffix)) return false;
  if (equal_ignoring_case(name.substr(0, reserved.size()), reserved)) return false;
  return parse_counted_name(name).has_value();
}

std::weak_ordering compare_entries(const Entry& a, const Entry& b) {
  if (a.bad() != b.bad()) return a.bad() <=> b.bad();
  if (a.sort_key.empty() != b.sort_key.empty()) return a.sort_key.empty() <=> b.sort_key.empty();
  if (!a.sort_key.empty())
    if (const auto order = compare_by_sort_key(a, b); order != 0) return order;
  if (const auto order = compare_versions(b.base_id, a.base_id); order != 0) return order;
  if (const auto order = suffix_profile(a) <=> suffix_profile(b); order != 0) return order;
  if (const auto order = tries_left(b) <=> tries_left(a); order != 0) return order;
  return tries_done(a) <=> tries_done(b);
}

Result<> EntryList::add_type1(EntrySource source, std::u16string_view name,
                              const LoaderEntry& from) {
  Entry entry = TRY(entry_of_file(type1_directory, source, name, arena_));
  switch (from.kind) {
    case LoaderEntryKind::linux:
      entry.kind = EntryKind::linux;
      break;
    case LoaderEntryKind::efi:
      entry.kind = EntryKind::efi;
      break;
    case LoaderEntryKind::uki:
      entry.kind = EntryKind::uki;
      break;
  }
  entry.title = from.title;
  entry.shown_title = TRY(printable({from.title.empty() ? entry.id : from.title}, arena_));
  entry.version = from.version;
  entry.machine_id = from.machine_id;
  entry.sort_key = from.sort_key;
  entry.architecture = from.architecture;
  entry.executable = from.executable;
  entry.initrds = from.initrds;
  entry.options = from.options;
  entry.profile = from.profile;
  return entries_.push(entry);
}

Result<> EntryList::add_type2(EntrySource source, std::u16string_view name, const UkiTexts& texts) {
  if (texts.osrel.size() > max_os_release_size || texts.profile.size() > max_os_release_size ||
      texts.cmdline.size() > max_cmdline_size)
    return fail(Errc::unsupported, "text section of the UKI is too large");
  const OsRelease release = parse_os_release(texts.osrel);
  const auto title = TRY(to_utf16(release.title(), BadText::replace, arena_));
  if (title.empty()) return fail(Errc::not_found, "UKI without a name in .osrel");

  Entry entry = TRY(entry_of_file(type2_directory, source, name, arena_));
  entry.kind = EntryKind::type2;
  entry.executable = entry.file;
  entry.profile = texts.profile_number;
  TRY(name_profile(entry, title, parse_profile(texts.profile), arena_));
  entry.shown_title = TRY(printable({entry.title}, arena_));
  entry.version = TRY(to_utf16(release.version_text(), BadText::replace, arena_));
  entry.sort_key = TRY(to_utf16(release.sort_key(), BadText::replace, arena_));
  entry.options = TRY(normalise_utf8(texts.cmdline, arena_));
  entry.options_implied = true;
  return entries_.push(entry);
}

Result<> EntryList::add_action(EntryKind kind) {
  const auto [id, title] = action_text(kind);
  Entry entry;
  entry.kind = kind;
  entry.id = entry.base_id = id;
  entry.title = entry.shown_title = title;
  return entries_.push(entry);
}

Result<> EntryList::sort() {
  const auto order = TRY(sorted_indices(entries_.size(), [&](std::uint32_t a, std::uint32_t b) {
    return compare_entries(entries_[a], entries_[b]) < 0;
  }));
  PageList<Entry> sorted;
  for (const std::uint32_t index : order) TRY(sorted.push(entries_[index]));
  entries_ = std::move(sorted);
  return {};
}

Result<> EntryList::make_titles_unique() {
  const auto entries = entries_.items();
  TRY(distinguish(entries, arena_, [](const Entry& entry) { return entry.version; }));
  TRY(distinguish(entries, arena_,
                  [](const Entry& entry) { return entry.machine_id.substr(0, 8); }));
  return distinguish(entries, arena_, [](const Entry& entry) { return entry.id; });
}

}  // namespace keelson
