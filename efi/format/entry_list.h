// SPDX-License-Identifier: MIT
//
// Owns what a menu entry is, for the loader and `keelson list` alike: ids, titles, their order
// (systemd-boot 261 with design decision 18) and unique titles. Made from parsed Type #1 files,
// from the texts of UKIs, and from the loader's own actions. Which one is the default belongs to
// default_entry.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "efi/base/esp_path.h"
#include "efi/base/page_list.h"
#include "efi/format/boot_count.h"
#include "efi/format/loader_entry.h"

namespace keelson {

constexpr std::u16string_view type1_directory = u"\\loader\\entries";
constexpr std::u16string_view type2_directory = u"\\EFI\\Linux";

enum class EntryKind : std::uint8_t {
  linux,               // Type #1, key linux
  efi,                 // Type #1, key efi
  uki,                 // Type #1, key uki
  type2,               // a UKI in \EFI\Linux, one entry per profile
  reboot_to_firmware,  // the loader's own actions
  power_off,
  reboot,
};
enum class EntrySource : std::uint8_t { esp, xbootldr };

// Views live in the arena of the list, or are literals.
struct Entry {
  EntryKind kind = EntryKind::linux;
  EntrySource source = EntrySource::esp;
  std::u16string_view id;           // lower case, counter removed, with profile suffix
  std::u16string_view base_id;      // the same without profile suffix
  std::u16string_view alias;        // bootctl's name for profile 0 of a UKI with ID=; else empty
  std::u16string_view title;        // as given, not fit for display; may be empty
  std::u16string_view shown_title;  // printable, never empty; unique after make_titles_unique
  std::u16string_view version, machine_id, sort_key, architecture;  // empty: not given
  EspPath file;        // the .conf or .efi that carries the entry and its counter
  EspPath executable;  // what is started; equals `file` for type2
  std::span<const EspPath> initrds;
  std::u16string_view options;
  bool options_implied = false;  // the UKI's own line: shown and edited, not passed on
  std::optional<BootCount> count;
  std::uint32_t profile = 0;
  std::u16string_view profile_id;

  bool bad() const { return count && count->exhausted(); }
  bool is_action() const { return kind >= EntryKind::reboot_to_firmware; }
  // Whether its file is renamed before a start.
  bool counts_boots() const {
    return count &&
           (kind == EntryKind::linux || kind == EntryKind::uki || kind == EntryKind::type2);
  }
  // R8 of the rules: profiles other than the first and our own actions never start by themselves.
  bool may_start_by_itself() const { return !is_action() && profile == 0; }
};

// Whether a directory entry of type1_directory or type2_directory (suffix ".conf" or ".efi") is to
// be read: not hidden, not `auto-…`, right suffix, not a counter alone. Directories are the
// caller's to skip.
bool is_entry_file(std::u16string_view name, std::u16string_view suffix);

// The texts of one profile of a UKI, as effective for it (uki_sections.h). A section that is
// absent is empty.
struct UkiTexts {
  Bytes osrel = {}, cmdline = {}, profile = {};
  std::uint32_t profile_number = 0;
};
constexpr std::uint64_t max_cmdline_size = 64_KiB;

// The order of the list; equal entries stay in the order they were added.
std::weak_ordering compare_entries(const Entry& a, const Entry& b);

class EntryList {
 public:
  EntryList() = default;
  EntryList(EntryList&&) = default;
  EntryList& operator=(EntryList&&) = default;

  // Where texts of entries live; give it to parse_loader_entry.
  TextArena& arena() { return arena_; }

  // Adds an entry read from `type1_directory`\`name`. Errors: malformed (name), out_of_memory.
  Result<> add_type1(EntrySource source, std::u16string_view name, const LoaderEntry& entry);
  // Adds one profile of the UKI `type2_directory`\`name`. Errors: not_found (no .osrel, or nothing
  // in it that could be a title), unsupported (a text above its cap), malformed (name),
  // out_of_memory.
  Result<> add_type2(EntrySource source, std::u16string_view name, const UkiTexts& texts);
  // Adds one of the loader's own actions; these come last and are not sorted. `kind` is an action.
  Result<> add_action(EntryKind kind);

  // Sorts what was added so far. On error (out_of_memory) the order is as before.
  Result<> sort();
  // Gives entries that share a title their version, machine id, or id. On error titles may still
  // collide.
  Result<> make_titles_unique();

  std::span<Entry> entries() { return entries_.items(); }
  std::span<const Entry> entries() const { return entries_.items(); }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  PageList<Entry> entries_;
  TextArena arena_;
};

}  // namespace keelson
