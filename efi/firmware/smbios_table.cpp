// SPDX-License-Identifier: MIT
//
// The machine's SMBIOS table (smbios_table.h).
#include "efi/firmware/smbios_table.h"

#include <algorithm>

#include "efi/firmware/system.h"
#include "efi/format/smbios.h"

namespace keelson::efi {
namespace {

using Parse = Result<smbios::Location>(Bytes);

// The table that the entry point under `guid` leads to. No more of it is read than it says it has.
Result<Bytes> table_of(const Guid& guid, std::size_t length_offset, Parse& parse) {
  const auto* const entry_point = static_cast<const std::byte*>(configuration_table(guid));
  if (entry_point == nullptr) return fail(Errc::not_found, "no SMBIOS table");
  const auto length = std::to_integer<std::size_t>(entry_point[length_offset]);
  const smbios::Location found =
      TRY(parse(Bytes(entry_point, std::min(length, smbios::longest_entry_point))));
  return Bytes(reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(found.address)),
               static_cast<std::size_t>(found.size));
}

}  // namespace

Result<Bytes> smbios_structures() {
  const auto newer =
      table_of(table_guid::smbios3, smbios::length_offset_3, smbios::parse_entry_point_3);
  if (newer.has_value()) return newer;
  const auto older =
      table_of(table_guid::smbios, smbios::length_offset_2, smbios::parse_entry_point_2);
  if (!older.has_value() && older.error().code == Errc::not_found) return newer;
  return older;
}

}  // namespace keelson::efi
