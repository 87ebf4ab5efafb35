// SPDX-License-Identifier: MIT
//
// Reads and writes the variables of the Boot Loader Interface. Encoded values are short; they live
// in an arena until they are written.
#include "loader/interface.h"

#include "efi/firmware/partition.h"
#include "efi/firmware/secure_boot.h"
#include "efi/firmware/system.h"
#include "efi/format/device_path.h"
#include "efi/format/identity.h"

namespace keelson::loader {
namespace {

namespace bli = loader_interface;

constexpr std::uint64_t features =
    bli::loader_feature::config_timeout | bli::loader_feature::config_timeout_one_shot |
    bli::loader_feature::entry_default | bli::loader_feature::entry_one_shot |
    bli::loader_feature::boot_counting | bli::loader_feature::xbootldr |
    bli::loader_feature::sort_key | bli::loader_feature::saved_entry |
    bli::loader_feature::retain_shim | bli::loader_feature::menu_disabled |
    bli::loader_feature::multi_profile_uki | bli::loader_feature::type1_uki |
    bli::loader_feature::tpm2_active_pcr_banks | bli::loader_feature::entry_preferred;

enum class Overwrite : bool { no, yes };

void note_failure(const Machine& machine, const efi::VariableId& id, const Result<>& written) {
  if (!written.has_value())
    machine.log.warn("variable ", id.text, " is not written: ", written.error());
}

void write(const Machine& machine, const efi::VariableId& id, const Result<Bytes>& value,
           Overwrite overwrite = Overwrite::yes) {
  const auto written = [&]() -> Result<> {
    if (!value.has_value()) return fail(value.error());
    return overwrite == Overwrite::yes ? machine.variables().set(id, *value)
                                       : machine.variables().set_if_absent(id, *value);
  };
  note_failure(machine, id, written());
}

void remove(const Machine& machine, const efi::VariableId& id) {
  note_failure(machine, id, machine.variables().remove(id));
}

// nullopt: not there, or not a text; the latter is said.
std::optional<std::u16string_view> read_text(const Machine& machine, const efi::VariableId& id,
                                             TextArena& texts) {
  const auto value = machine.variables().get(id, texts);
  if (!value.has_value()) {
    if (value.error().code != Errc::not_found)
      machine.log.warn("variable ", id.text, " is not readable: ", value.error());
    return std::nullopt;
  }
  const auto text = bli::decode_text(value->data, texts);
  if (text.has_value()) return *text;
  machine.log.warn("variable ", id.text, " is ignored: ", text.error());
  return std::nullopt;
}

std::optional<MenuTimeout> read_timeout(const Machine& machine, const efi::VariableId& id,
                                        TextArena& texts) {
  const auto text = read_text(machine, id, texts);
  if (!text) return std::nullopt;
  const auto timeout = parse_menu_timeout(*text);
  if (!timeout) machine.log.warn("variable ", id.text, " is ignored: ", *text, " is no timeout");
  return timeout;
}

// LoaderEntryOneShot. Whatever the firmware answers but "not found", it is there.
void read_one_shot(const Machine& machine, TextArena& texts, Wishes& wishes) {
  std::byte none;
  const auto found = machine.variables().get(bli::entry_one_shot, MutableBytes(&none, 0));
  wishes.had_one_shot = found.has_value() || found.error().code != Errc::not_found;
  if (!wishes.had_one_shot) return;
  wishes.sources.one_shot = read_text(machine, bli::entry_one_shot, texts);
  const Result<> removed = machine.variables().remove(bli::entry_one_shot);
  note_failure(machine, bli::entry_one_shot, removed);
  // It would be obeyed at every boot, and an entry that resets the machine would do so for ever.
  if (!removed.has_value()) wishes.sources.one_shot.reset();
}

void publish_place(const Machine& machine, TextArena& texts) {
  const auto guid = efi::partition_guid(machine.self.device());
  if (guid.has_value())
    write(machine, bli::loader_device_part_uuid, bli::encode_guid(*guid, texts), Overwrite::no);
  const auto path = device_path::file_path_text(machine.self.file_path(), texts);
  if (path.has_value())
    write(machine, bli::loader_image_identifier, bli::encode_text(*path, texts), Overwrite::no);
}

void publish_firmware(const Machine& machine, TextArena& texts) {
  const efi::FirmwareInfo firmware = efi::firmware_info();
  write(machine, bli::loader_firmware_info,
        bli::encode_revision(firmware.vendor, firmware.revision, texts), Overwrite::no);
  write(machine, bli::loader_firmware_type,
        bli::encode_revision(u"UEFI", firmware.uefi_revision, texts), Overwrite::no);
  write(machine, bli::loader_tpm2_active_pcr_banks,
        bli::encode_pcr_banks(machine.tpm.active_pcr_banks(), texts), Overwrite::no);
}

// Asks shim to keep its lock for the programs that we start; shim 16 needs no asking.
void retain_shim(const Machine& machine) {
  const efi::Shim shim = efi::find_shim();
  if (!shim.lock || shim.image_loader) return;
  constexpr std::byte yes{1};
  write(machine, bli::shim_retain_protocol, Bytes(&yes, 1));
}

void set_text(const Machine& machine, const efi::VariableId& id, std::u16string_view text) {
  TextArena texts;
  write(machine, id, bli::encode_text(text, texts));
}

void write_timeout(const Machine& machine, const std::optional<MenuTimeout>& timeout) {
  using enum MenuTimeout::Mode;
  if (!timeout) return remove(machine, bli::config_timeout);
  TextArena texts;
  switch (timeout->mode) {
    case forced: return set_text(machine, bli::config_timeout, u"menu-force");
    case hidden: return set_text(machine, bli::config_timeout, u"menu-hidden");
    case disabled: return set_text(machine, bli::config_timeout, u"menu-disabled");
    case countdown:
      return write(machine, bli::config_timeout, bli::encode_decimal(timeout->seconds, texts));
  }
}

}  // namespace

void publish_identity(const Machine& machine) {
  TextArena texts;
  publish_time(machine, bli::time_init);
  retain_shim(machine);
  write(machine, bli::loader_info, bli::encode_text(identity::boot_product_utf16, texts));
  const auto feature_bytes = bli::encode_u64(features);
  write(machine, bli::loader_features, Bytes(feature_bytes));
  publish_place(machine, texts);
  publish_firmware(machine, texts);
}

void publish_entries(const Machine& machine, std::span<const Entry> entries) {
  if (entries.empty()) return;
  TextArena texts;
  write(machine, bli::loader_entries, bli::encode_entries(entries, texts));
}

void publish_time(const Machine& machine, const efi::VariableId& variable) {
  const auto now = machine.clock.now_us();
  if (!now || !machine.clock.starts_with_the_boot()) return;
  TextArena texts;
  write(machine, variable, bli::encode_decimal(*now, texts));
}

Wishes read_wishes(const Machine& machine, TextArena& texts) {
  Wishes wishes;
  wishes.timeout_one_shot = read_timeout(machine, bli::config_timeout_one_shot, texts);
  remove(machine, bli::config_timeout_one_shot);
  wishes.timeout = read_timeout(machine, bli::config_timeout, texts);
  if (const auto mode = read_text(machine, bli::config_console_mode, texts)) {
    const auto parsed = parse_console_mode(*mode);
    if (parsed && parsed->choice == ConsoleMode::Choice::number)
      wishes.console_mode = parsed->number;
  }
  read_one_shot(machine, texts, wishes);
  wishes.sources.preferred_variable = read_text(machine, bli::entry_preferred, texts);
  wishes.sources.default_variable = read_text(machine, bli::entry_default, texts);
  return wishes;
}

void read_last_booted(const Machine& machine, DefaultSources& sources, TextArena& texts) {
  if (needs_last_booted(sources))
    sources.last_booted = read_text(machine, bli::entry_last_booted, texts);
}

void publish_selected(const Machine& machine, const Entry& entry, const DefaultSources& sources) {
  set_text(machine, bli::loader_entry_selected, entry.id);
  // What was asked for once is not what the next boot should repeat.
  if (sources.one_shot && equal_ignoring_case(*sources.one_shot, entry.id)) return;
  if (remembers_last_booted(sources))
    set_text(machine, bli::entry_last_booted, entry.id);
  else
    remove(machine, bli::entry_last_booted);
}

void publish_boot_count_path(const Machine& machine, std::u16string_view path) {
  set_text(machine, bli::loader_boot_count_path, path);
}

void remove_boot_count_path(const Machine& machine) {
  remove(machine, bli::loader_boot_count_path);
}

void write_settings(const Machine& machine, const MenuSettings& before, const MenuSettings& after,
                    std::span<const Entry> entries, DefaultSources& sources) {
  if (before.timeout != after.timeout) write_timeout(machine, after.timeout);
  if (before.mark == after.mark && before.marked == after.marked) return;
  sources.preferred_variable.reset();
  sources.default_variable.reset();
  if (after.mark == Mark::preferred)
    sources.preferred_variable = entries[after.marked].id;
  else if (after.mark == Mark::fallback)
    sources.default_variable = entries[after.marked].id;
  const auto put = [&](const efi::VariableId& id, const std::optional<std::u16string_view>& value) {
    if (value)
      set_text(machine, id, *value);
    else
      remove(machine, id);
  };
  put(bli::entry_preferred, sources.preferred_variable);
  put(bli::entry_default, sources.default_variable);
}

void write_console_mode(const Machine& machine, std::optional<std::uint32_t> mode) {
  if (!mode) return remove(machine, bli::config_console_mode);
  TextArena texts;
  write(machine, bli::config_console_mode, bli::encode_decimal(*mode, texts));
}

Result<> write_one_shot(const Machine& machine, const Entry& entry) {
  TextArena texts;
  return machine.variables().set(bli::entry_one_shot, TRY(bli::encode_text(entry.id, texts)));
}

void remove_one_shot(const Machine& machine) { remove(machine, bli::entry_one_shot); }

bool firmware_has_setup(const Machine& machine) {
  std::array<std::byte, 8> room{};
  const auto value = machine.variables().get(bli::os_indications_supported, room);
  if (!value.has_value()) return false;
  const auto supported = bli::decode_u64(value->data);
  return supported.has_value() && (*supported & bli::os_indications_boot_to_firmware) != 0;
}

Result<> request_firmware_setup(const Machine& machine) {
  std::array<std::byte, 8> room{};
  std::uint64_t indications = 0;
  const auto value = machine.variables().get(bli::os_indications, room);
  if (value.has_value()) indications = bli::decode_u64(value->data).value_or(0);
  const auto bytes = bli::encode_u64(indications | bli::os_indications_boot_to_firmware);
  return machine.variables().set(bli::os_indications, Bytes(bytes));
}

}  // namespace keelson::loader
