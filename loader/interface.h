// SPDX-License-Identifier: MIT
//
// Owns the loader's side of the Boot Loader Interface (loader.md 8): which variables it reads,
// which it writes when. A variable that cannot be written is a line in the log and nothing more
// (R18 of the rules). Names and encodings are efi/format/loader_interface.h's.
#pragma once

#include "efi/format/default_entry.h"
#include "loader/machine.h"
#include "loader/menu.h"

namespace keelson::loader {

// What we are and where we come from. Written first, before anything is read.
void publish_identity(const Machine& machine);
// The ids, in the order of the menu.
void publish_entries(const Machine& machine, std::span<const Entry> entries);
// The time when the menu opens, or the entry starts.
void publish_time(const Machine& machine, const efi::VariableId& variable);

// What the operating system, and earlier menus, have asked for. One-shot variables are gone
// afterwards.
struct Wishes {
  DefaultSources sources;        // the settings of loader.conf are not in here
  bool had_one_shot = false;     // LoaderEntryOneShot was there, readable and deletable or not
  std::optional<MenuTimeout> timeout_one_shot, timeout;
  std::optional<std::uint32_t> console_mode;
};
Wishes read_wishes(const Machine& machine, TextArena& texts);
// LoaderEntryLastBooted, if a source says `@saved`.
void read_last_booted(const Machine& machine, DefaultSources& sources, TextArena& texts);

// LoaderEntrySelected and LoaderEntryLastBooted, before an entry is started.
void publish_selected(const Machine& machine, const Entry& entry, const DefaultSources& sources);
void publish_boot_count_path(const Machine& machine, std::u16string_view path);
// What an entry that was tried before has left: not its counter is to be blessed if this one boots.
void remove_boot_count_path(const Machine& machine);

// Writes what the menu changed, and makes `sources` agree with it.
void write_settings(const Machine& machine, const MenuSettings& before, const MenuSettings& after,
                    std::span<const Entry> entries, DefaultSources& sources);
void write_console_mode(const Machine& machine, std::optional<std::uint32_t> mode);

// LoaderEntryOneShot, for a rescue (design: "When something fails").
Result<> write_one_shot(const Machine& machine, const Entry& entry);
void remove_one_shot(const Machine& machine);

// Whether the firmware can be told to open its setup at the next start, and telling it.
bool firmware_has_setup(const Machine& machine);
Result<> request_firmware_setup(const Machine& machine);

}  // namespace keelson::loader
