// SPDX-License-Identifier: MIT
//
// Owns SMBIOS (DSP0134 3.7, chapters 5 and 6) as bytes that nobody has checked: the two entry
// points, the structures of a table with their strings, and OEM strings, through which whoever
// started the machine talks to us. Where the table is comes from efi/firmware/smbios_table.h; what
// is believed of it is policy of the programs (a confidential VM believes none of it).
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/bytes.h"

namespace keelson::smbios {

namespace type {
inline constexpr std::uint8_t system = 1;
inline constexpr std::uint8_t baseboard = 2;
inline constexpr std::uint8_t oem_strings = 11;
inline constexpr std::uint8_t end_of_table = 127;
}  // namespace type

// Type, length of the formatted area, handle.
inline constexpr std::size_t header_size = 4;

// Strings of one structure, in order. Empty strings do not exist: one ends the set.
class Strings {
 public:
  explicit Strings(Bytes set) : rest_(text_of(set)) {}
  // nullopt behind the last one.
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
};

struct Structure {
  std::uint8_t type = 0;
  Bytes formatted;  // with the header; at least header_size bytes
  Bytes bytes;      // `formatted`, then the strings with both NULs at their end

  Strings strings() const { return Strings(bytes.subspan(formatted.size())); }
  // String `number`, counted from 1; empty if it is 0 or the set has fewer.
  std::string_view string(std::uint8_t number) const;
  // The string whose number is at `offset` of the formatted area; empty if the area is shorter.
  std::string_view string_at(std::size_t offset) const;
};

// for (auto walk = table.walk(); const auto structure = walk.next();) ...
class Walk {
 public:
  explicit Walk(Bytes rest) : rest_(rest) {}
  // nullopt at the end: the end-of-table structure, the last byte, or the first structure that is
  // not whole (a length under 4 or past the end, strings without their double NUL).
  std::optional<Structure> next();

 private:
  Bytes rest_;
};

class Table {
 public:
  Table() = default;  // a machine without SMBIOS
  // The structures one after the other. Firmware states only how long they are at most.
  explicit Table(Bytes structures) : structures_(structures) {}

  Walk walk() const { return Walk(structures_); }
  std::optional<Structure> first(std::uint8_t type) const;
  // What follows `prefix` in the first OEM string that begins with it; of the first structure of
  // that type only, as systemd does. The structure's count is not believed: strings decide.
  std::optional<std::string_view> oem_string(std::string_view prefix) const;

 private:
  Bytes structures_;
};

// What an entry point tells of the table.
struct Location {
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // of all structures, at most
};
// More than this of a table is not looked at.
inline constexpr std::uint64_t max_table_size = 1_MiB;
// How many bytes an entry point has at least and at most; the byte that says how many is at this
// offset.
inline constexpr std::size_t entry_point_size_3 = 24, entry_point_size_2 = 31;
inline constexpr std::size_t longest_entry_point = 32;
inline constexpr std::size_t length_offset_3 = 6, length_offset_2 = 5;
// `_SM3_` (SMBIOS 3) and `_SM_` (SMBIOS 2). `entry_point` must hold as many bytes as it has at
// least, and as it states itself. Errors: truncated, malformed (anchor, length, checksum, no
// table).
Result<Location> parse_entry_point_3(Bytes entry_point);
Result<Location> parse_entry_point_2(Bytes entry_point);

}  // namespace keelson::smbios
