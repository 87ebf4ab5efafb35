// SPDX-License-Identifier: MIT
//
// Puts the status page together, longest lines broken.
#include "loader/status_page.h"

#include <algorithm>

#include "efi/firmware/system.h"
#include "efi/format/identity.h"

namespace keelson::loader {
namespace {

class Composer {
 public:
  Composer(std::size_t columns, TextArena& texts, PageList<std::u16string_view>& lines)
      : columns_(std::max<std::size_t>(columns, 20)), texts_(texts), lines_(lines) {}

  // A line, or several if it is long. After an error nothing is added.
  template <class... Parts>
  void add(const Parts&... parts) {
    Line line;
    (print(line, parts), ...);
    add_text(line.text());
  }
  // Name and value, if there is a value, which may be longer than a Line.
  void add_field(std::string_view name, std::u16string_view value) {
    if (!value.empty() && failure_.has_value()) failure_ = put_field(name, value);
  }
  void add_text(std::string_view utf8) {
    if (failure_.has_value()) failure_ = put(utf8);
  }
  const Result<>& result() const { return failure_; }

 private:
  Result<> put(std::string_view utf8) {
    const auto room = TRY(texts_.reserve_utf16(utf8.size()));
    const std::u16string_view text = TRY(to_utf16(utf8, BadText::replace, room));
    return put_lines(room.first(text.size()));
  }
  Result<> put_field(std::string_view name, std::u16string_view value) {
    const auto room = TRY(texts_.reserve_utf16(name.size() + value.size()));
    std::copy(name.begin(), name.end(), room.begin());
    std::copy(value.begin(), value.end(), room.subspan(name.size()).begin());
    return put_lines(room);
  }
  Result<> put_lines(std::span<char16_t> room) {
    make_printable(room);
    std::u16string_view text(room.data(), room.size());
    TRY(lines_.push(text.substr(0, columns_)));
    while (text.size() > columns_) {
      text.remove_prefix(columns_);
      TRY(lines_.push(text.substr(0, columns_)));
    }
    return {};
  }

  std::size_t columns_;
  TextArena& texts_;
  PageList<std::u16string_view>& lines_;
  Result<> failure_;
};

std::string_view reason_of(DefaultReason reason) {
  switch (reason) {
    case DefaultReason::one_shot: return "asked for once (LoaderEntryOneShot)";
    case DefaultReason::preferred_variable: return "preferred (LoaderEntryPreferred)";
    case DefaultReason::preferred_setting: return "preferred (loader.conf)";
    case DefaultReason::default_variable: return "default (LoaderEntryDefault)";
    case DefaultReason::default_setting: return "default (loader.conf)";
    case DefaultReason::first_entry: return "first of the list";
    case DefaultReason::none: return "none starts by itself";
  }
  return "";
}

void add_machine(Composer& page, const Machine& machine, const Facts& facts) {
  const efi::FirmwareInfo firmware = efi::firmware_info();
  page.add(identity::boot_product);
  page.add("Firmware     ", firmware.vendor, " ", firmware.revision >> 16, ".",
           firmware.revision & 0xffff, ", UEFI ", firmware.uefi_revision >> 16, ".",
           (firmware.uefi_revision & 0xffff) / 10);
  page.add("Secure Boot  ", facts.secure_boot ? "on" : "off");
  page.add("TPM          ", machine.tpm.has_tpm() ? "yes" : "no",
           machine.tpm.has_cc() ? ", confidential measurement too" : "");
  page.add("XBOOTLDR     ", facts.xbootldr ? "yes" : "no");
  const efi::Cells cells = machine.console.size();
  page.add("Console      ", cells.columns, "x", cells.rows, ", mode ",
           machine.console.mode().value_or(0), " of ", machine.console.mode_count());
  page.add("Entries      ", facts.list.size());
  if (facts.default_entry.index)
    page.add("Default      ", facts.list.entries()[*facts.default_entry.index].id, ": ",
             reason_of(facts.default_entry.reason));
}

void add_entry(Composer& page, const Entry& entry) {
  page.add_field("Title        ", entry.shown_title);
  page.add_field("Id           ", entry.id);
  page.add_field("Version      ", entry.version);
  page.add_field("Sort key     ", entry.sort_key);
  page.add_field("Machine id   ", entry.machine_id);
  page.add_field("File         ", entry.file.text());
  if (!(entry.executable == entry.file)) page.add_field("Starts       ", entry.executable.text());
  for (const EspPath& initrd : entry.initrds) page.add_field("Initrd       ", initrd.text());
  page.add_field("Options      ", entry.options);
  if (entry.count)
    page.add("Tries        ", entry.count->tries_left, " left, ", entry.count->tries_done, " done");
}

}  // namespace

Result<> compose_status_page(const Machine& machine, const Facts& facts, std::size_t entry,
                             std::size_t columns, TextArena& texts,
                             PageList<std::u16string_view>& lines) {
  Composer page(columns, texts, lines);
  add_machine(page, machine, facts);
  page.add("");
  add_entry(page, facts.list.entries()[entry]);
  page.add("");
  page.add("Log");
  std::string_view log = machine.log.text();
  if (log.empty()) page.add("  empty: all went well");
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    page.add("  ", log.substr(0, end));
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return page.result();
}

}  // namespace keelson::loader
