// SPDX-License-Identifier: MIT
//
// The machine's SMBIOS table (smbios_table.h).
#include "efi/firmware/smbios_table.h"

#include <algorithm>

#include "efi/firmware/system.h"
#include "efi/format/smbios.h"

namespace keelson::efi {
namespace {

struct Version {
  Guid guid;
  std::size_t length_offset, size;  // of its entry point
  Result<smbios::Location> (*parse)(Bytes entry_point);
};
constexpr Version version_3 = {table_guid::smbios3, smbios::length_offset_3,
                               smbios::entry_point_size_3, smbios::parse_entry_point_3};
constexpr Version version_2 = {table_guid::smbios, smbios::length_offset_2,
                               smbios::entry_point_size_2, smbios::parse_entry_point_2};

// The table that an entry point leads to. No more of that is read than it has.
Result<Bytes> table_of(const Version& version) {
  const auto* const entry_point = static_cast<const std::byte*>(configuration_table(version.guid));
  if (entry_point == nullptr) return fail(Errc::not_found, "no SMBIOS table");
  const auto stated = std::to_integer<std::size_t>(entry_point[version.length_offset]);
  const std::size_t length = std::clamp(stated, version.size, smbios::longest_entry_point);
  const smbios::Location found = TRY(version.parse(Bytes(entry_point, length)));
  return Bytes(reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(found.address)),
               static_cast<std::size_t>(found.size));
}

}  // namespace

Result<Bytes> smbios_structures() {
  const auto newer = table_of(version_3);
  if (newer.has_value()) return newer;
  const auto older = table_of(version_2);
  if (!older.has_value() && older.error().code == Errc::not_found) return newer;
  return older;
}

}  // namespace keelson::efi
