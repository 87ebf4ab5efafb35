// SPDX-License-Identifier: MIT
//
// Gathers the facts, in the order of loader.md: who we are is published first, loader.conf is
// measured before it is parsed.
#include "loader/observe.h"

#include "efi/firmware/partition.h"
#include "efi/firmware/secure_boot.h"
#include "efi/format/device_path.h"
#include "efi/format/measurement.h"
#include "loader/entry_files.h"

namespace keelson::loader {
namespace {

constexpr std::u16string_view loader_conf_path = u"\\loader\\loader.conf";

void measure_loader_conf(const Machine& machine, Bytes file) {
  MeasurementList list;
  Result<> measured = list.add_loader_conf(file);
  for (const Measurement& item : list.items())
    if (measured.has_value()) measured = machine.tpm.measure(item);
  if (!measured.has_value())
    machine.log.warn("loader.conf is not measured: ", measured.error());
}

Result<LoaderConf> read_loader_conf(const Machine& machine, efi::Volume& volume,
                                    TextArena& texts) {
  const auto file = volume.read_small_file(loader_conf_path, max_conf_size, texts);
  if (!file.has_value()) {
    if (file.error().code != Errc::not_found)
      machine.log.warn("defaults are used, loader.conf is not readable: ", file.error());
    return LoaderConf{};
  }
  measure_loader_conf(machine, *file);
  return parse_loader_conf(*file, texts, machine.log);
}

std::optional<efi::Volume> find_xbootldr(const Machine& machine) {
  auto volume = efi::open_xbootldr(machine.self.device());
  if (volume.has_value()) return std::move(*volume);
  if (volume.error().code != Errc::not_found)
    machine.log.warn("XBOOTLDR is left out: ", volume.error());
  return std::nullopt;
}

Result<efi::Volume> own_volume(const Machine& machine) {
  auto volume = machine.self.volume();
  if (!volume.has_value() && volume.error().code == Errc::unsupported)
    machine.log.tell(Severity::error,
                     "Booting from a network needs the image of a disk, not the loader alone.");
  return volume;
}

Result<> add_actions(const Facts& facts, EntryList& list) {
  if (facts.conf.auto_firmware && facts.firmware_setup)
    TRY(list.add_action(EntryKind::reboot_to_firmware));
  if (facts.conf.auto_poweroff) TRY(list.add_action(EntryKind::power_off));
  if (facts.conf.auto_reboot) TRY(list.add_action(EntryKind::reboot));
  return {};
}

Result<> read_entries(const Machine& machine, Facts& facts) {
  TextArena scratch;
  const auto own_path = device_path::file_path_text(machine.self.file_path(), scratch);
  const std::u16string_view own = own_path.has_value() ? *own_path : std::u16string_view();
  TRY(add_entries_of(facts.esp, EntrySource::esp, own, facts.list, machine.log));
  if (facts.xbootldr)
    TRY(add_entries_of(*facts.xbootldr, EntrySource::xbootldr, {}, facts.list, machine.log));
  TRY(facts.list.sort());
  TRY(add_actions(facts, facts.list));
  proceed_despite(facts.list.make_titles_unique(), "titles may look alike");
  for (const Entry& entry : facts.list.entries())
    TRY(facts.states.push({.automatic = entry.may_start_by_itself(), .bad = entry.bad()}));
  return {};
}

// The mark shows what a variable says, not what loader.conf does.
MenuSettings settings_at_start(const Facts& facts) {
  MenuSettings settings{.timeout = facts.wishes.timeout};
  if (!facts.default_entry.index) return settings;
  settings.marked = *facts.default_entry.index;
  if (facts.default_entry.reason == DefaultReason::preferred_variable)
    settings.mark = Mark::preferred;
  else if (facts.default_entry.reason == DefaultReason::default_variable)
    settings.mark = Mark::fallback;
  else
    settings.marked = 0;
  return settings;
}

void choose_settings(const Machine& machine, Facts& facts) {
  DefaultSources& sources = facts.wishes.sources;
  sources.preferred_setting = facts.conf.preferred_entry;
  sources.default_setting = facts.conf.default_entry;
  read_last_booted(machine, sources, facts.texts);
  facts.default_entry = choose_default(facts.list.entries(), sources);
  facts.timeout = effective_timeout(facts.wishes.timeout_one_shot, facts.wishes.timeout,
                                    facts.conf.timeout);
  facts.settings = settings_at_start(facts);
}

}  // namespace

Result<Facts> observe(const Machine& machine) {
  publish_identity(machine);
  Facts facts{.esp = TRY(own_volume(machine))};
  facts.secure_boot = efi::is_secure_boot_on(machine.variables());
  facts.firmware_setup = firmware_has_setup(machine);
  facts.conf = TRY(read_loader_conf(machine, facts.esp, facts.texts));
  facts.wishes = read_wishes(machine, facts.texts);
  machine.times.mark("loader-settings");

  facts.xbootldr = find_xbootldr(machine);
  TRY(read_entries(machine, facts));
  publish_entries(machine, facts.list.entries());
  choose_settings(machine, facts);
  machine.times.mark("loader-entries");
  return facts;
}

}  // namespace keelson::loader
