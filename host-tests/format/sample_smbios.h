// SPDX-License-Identifier: MIT
//
// Owns SMBIOS structures and entry points for tests, made byte by byte. Every length can be what no
// firmware would write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "efi/base/wire.h"

namespace keelson::sample {

// `area` is what follows the header in the formatted area.
inline std::string smbios_structure(std::uint8_t type, std::string_view area,
                                    const std::vector<std::string>& strings = {},
                                    std::optional<std::uint8_t> length = std::nullopt) {
  std::string bytes;
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(length.value_or(static_cast<std::uint8_t>(4 + area.size())));
  bytes += std::string_view("\x34\x12", 2);
  bytes += area;
  for (const std::string& string : strings) (bytes += string) += '\0';
  if (strings.empty()) bytes += '\0';
  return bytes += '\0';
}

// Type 1 of SMBIOS 2.4 and later: the strings by their numbers, a UUID, a wake-up type.
struct SmbiosSystem {
  std::string manufacturer = "Acme", product = "Rocket Mk2", sku = "42", family = "Rocket";
  char wake_up = 6;  // power switch
};
inline std::string smbios_system(const SmbiosSystem& system) {
  std::string area = "\x01\x02";
  area += std::string(2, '\0');  // no version, no serial number
  area += std::string(16, 'U');  // UUID
  area += system.wake_up;
  area += "\x03\x04";
  // An absent string would end the set: one blank stands for it.
  const auto present = [](const std::string& text) { return text.empty() ? " " : text; };
  return smbios_structure(1, area,
                          {present(system.manufacturer), present(system.product),
                           present(system.sku), present(system.family)});
}
inline std::string smbios_board(const std::string& manufacturer, const std::string& product) {
  return smbios_structure(2, std::string("\x01\x02\0\0", 4), {manufacturer, product});
}
inline std::string smbios_oem_strings(const std::vector<std::string>& strings) {
  return smbios_structure(11, std::string(1, static_cast<char>(strings.size())), strings);
}
inline std::string smbios_end() { return smbios_structure(127, ""); }

// Makes the sum of `bytes` from `first` on, `size` of them, zero by changing the byte at `at`.
inline void balance(std::string& bytes, std::size_t at, std::size_t first, std::size_t size) {
  unsigned sum = 0;
  bytes[at] = 0;
  for (const char c : std::string_view(bytes).substr(first, size))
    sum += static_cast<unsigned char>(c);
  bytes[at] = static_cast<char>(0x100 - (sum & 0xff));
}

struct SmbiosEntryPoint3 {
  std::array<char, 5> anchor = {'_', 'S', 'M', '3', '_'};
  std::uint8_t checksum = 0, length = 24, major = 3, minor = 7, docrev = 0, revision = 1,
               reserved = 0;
  Le<std::uint32_t> table_size = 0;
  Le<std::uint64_t> table_address = 0;
};
inline std::string smbios_entry_point_3(std::uint64_t address, std::uint32_t size) {
  SmbiosEntryPoint3 fields;
  fields.table_size = size;
  fields.table_address = address;
  std::string bytes(text_of(bytes_of_struct(fields)));
  balance(bytes, 5, 0, bytes.size());
  return bytes;
}

struct SmbiosEntryPoint2 {
  std::array<char, 4> anchor = {'_', 'S', 'M', '_'};
  std::uint8_t checksum = 0, length = 31, major = 2, minor = 8;
  Le<std::uint16_t> largest_structure = 200;
  std::uint8_t revision = 0;
  std::array<std::uint8_t, 5> formatted{};
  std::array<char, 5> intermediate_anchor = {'_', 'D', 'M', 'I', '_'};
  std::uint8_t intermediate_checksum = 0;
  Le<std::uint16_t> table_size = 0;
  Le<std::uint32_t> table_address = 0;
  Le<std::uint16_t> structure_count = 3;
  std::uint8_t version = 0x28;
};
inline std::string smbios_entry_point_2(std::uint32_t address, std::uint16_t size) {
  SmbiosEntryPoint2 fields;
  fields.table_size = size;
  fields.table_address = address;
  std::string bytes(text_of(bytes_of_struct(fields)));
  balance(bytes, 21, 16, 15);
  balance(bytes, 4, 0, bytes.size());
  return bytes;
}

}  // namespace keelson::sample
