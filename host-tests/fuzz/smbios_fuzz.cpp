// SPDX-License-Identifier: MIT
//
// Any bytes as an SMBIOS table and as entry points: walks end, structures and strings lie in the
// input one behind the other, and what is measured is made of them.
#include "efi/format/smbios.h"

#include "efi/format/measurement.h"

namespace {

using namespace keelson;

void check_structure(const smbios::Structure& structure) {
  if (structure.formatted.size() < smbios::header_size) __builtin_trap();
  if (structure.bytes.size() < structure.formatted.size() + 2) __builtin_trap();
  if (structure.formatted.data() != structure.bytes.data()) __builtin_trap();
  std::uint8_t number = 0;
  for (auto strings = structure.strings(); const auto string = strings.next();) {
    if (string->empty() || string->find('\0') != string->npos) __builtin_trap();
    if (number < 255 && structure.string(++number) != *string) __builtin_trap();
  }
  for (std::size_t i = 0; i <= structure.formatted.size(); ++i) (void)structure.string_at(i);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  const smbios::Table table(input);
  const std::byte* at = input.data();
  std::size_t measured = 0;
  for (auto walk = table.walk(); const auto structure = walk.next();) {
    if (structure->bytes.data() != at) __builtin_trap();
    at += structure->bytes.size();
    if (at > input.data() + input.size()) __builtin_trap();
    check_structure(*structure);
    measured += structure->type == 1 || structure->type == 2 || structure->type == 11 ? 1 : 0;
  }
  (void)table.oem_string("io.systemd.");

  MeasurementList list;
  if (!list.add_smbios(table).has_value() || list.items().size() != measured) __builtin_trap();
  for (const auto parse : {smbios::parse_entry_point_3, smbios::parse_entry_point_2}) {
    const auto location = parse(input);
    if (location.has_value() && (location->address == 0 || location->size > smbios::max_table_size))
      __builtin_trap();
  }
  return 0;
}
