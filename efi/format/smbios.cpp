// SPDX-License-Identifier: MIT
//
// Owns SMBIOS tables: see smbios.h.
#include "efi/format/smbios.h"

#include <algorithm>

#include "efi/base/wire.h"

namespace keelson::smbios {
namespace {

struct Header {
  std::uint8_t type, length;  // of the formatted area
  Le<std::uint16_t> handle;
};
static_assert(sizeof(Header) == header_size);

struct EntryPoint3 {  // DSP0134, 5.2.2
  std::array<char, 5> anchor;
  std::uint8_t checksum, length, major, minor, docrev, revision, reserved;
  Le<std::uint32_t> table_size;
  Le<std::uint64_t> table_address;
};
static_assert(sizeof(EntryPoint3) == entry_point_size_3);

struct EntryPoint2 {  // DSP0134, 5.2.1
  std::array<char, 4> anchor;
  std::uint8_t checksum, length, major, minor;
  Le<std::uint16_t> largest_structure;
  std::uint8_t revision;
  std::array<std::uint8_t, 5> formatted;
  std::array<char, 5> intermediate_anchor;
  std::uint8_t intermediate_checksum;
  Le<std::uint16_t> table_size;
  Le<std::uint32_t> table_address;
  Le<std::uint16_t> structure_count;
  std::uint8_t version;  // SMBIOS 2.1 said by mistake that `length` does not count it
};
static_assert(sizeof(EntryPoint2) == entry_point_size_2);
constexpr std::size_t shortest_length_2 = sizeof(EntryPoint2) - 1;

constexpr std::size_t intermediate_offset = 16, intermediate_size = 15;

std::uint8_t sum(Bytes bytes) {
  unsigned total = 0;
  for (const std::byte byte : bytes) total += std::to_integer<unsigned>(byte);
  return static_cast<std::uint8_t>(total);
}

template <std::size_t Size>
bool spells(const std::array<char, Size>& field, std::string_view anchor) {
  return std::string_view(field.data(), Size) == anchor;
}

// All of an entry point: as long as it says, with the sum 0.
Result<Bytes> whole_entry_point(Bytes bytes, std::size_t length_offset, std::size_t shortest) {
  const Bytes length_byte = TRY(slice(bytes, length_offset, 1, "SMBIOS entry point too short"));
  const auto length = std::to_integer<std::size_t>(length_byte[0]);
  if (length < shortest || length > longest_entry_point)
    return fail(Errc::malformed, "SMBIOS entry point of a wrong length", length);
  const Bytes whole = TRY(slice(bytes, 0, length, "SMBIOS entry point past the end"));
  if (sum(whole) != 0) return fail(Errc::malformed, "SMBIOS entry point with a wrong sum");
  return whole;
}

Result<Location> location(std::uint64_t address, std::uint64_t size) {
  if (address == 0) return fail(Errc::malformed, "SMBIOS entry point without a table");
  return Location{.address = address, .size = std::min(size, max_table_size)};
}

}  // namespace

std::optional<std::string_view> Strings::next() {
  const std::size_t end = rest_.find('\0');
  if (end == 0 || end == rest_.npos) return std::nullopt;
  const std::string_view string = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return string;
}

std::string_view Structure::string(std::uint8_t number) const {
  if (number == 0) return {};
  Strings all = strings();
  for (std::uint8_t skipped = 1; skipped < number; ++skipped)
    if (!all.next()) return {};
  return all.next().value_or(std::string_view());
}

std::string_view Structure::string_at(std::size_t offset) const {
  if (offset >= formatted.size()) return {};
  return string(std::to_integer<std::uint8_t>(formatted[offset]));
}

std::optional<Structure> Walk::next() {
  const Bytes rest = std::exchange(rest_, Bytes());
  const auto header = load<Header>(rest, 0, "SMBIOS structure");
  if (!header.has_value() || header->type == type::end_of_table) return std::nullopt;
  if (header->length < header_size || header->length > rest.size()) return std::nullopt;
  const std::size_t end = text_of(rest).find(std::string_view("\0\0", 2), header->length);
  if (end == std::string_view::npos) return std::nullopt;
  rest_ = rest.subspan(end + 2);
  return Structure{
      .type = header->type, .formatted = rest.first(header->length), .bytes = rest.first(end + 2)};
}

std::optional<Structure> Table::first(std::uint8_t type) const {
  for (auto structures = walk(); const auto structure = structures.next();)
    if (structure->type == type) return structure;
  return std::nullopt;
}

std::optional<std::string_view> Table::oem_string(std::string_view prefix) const {
  const auto structure = first(type::oem_strings);
  if (!structure) return std::nullopt;
  for (Strings strings = structure->strings(); const auto string = strings.next();)
    if (string->starts_with(prefix)) return string->substr(prefix.size());
  return std::nullopt;
}

Result<Location> parse_entry_point_3(Bytes entry_point) {
  const auto fields = TRY(load<EntryPoint3>(entry_point, 0, "SMBIOS entry point too short"));
  if (!spells(fields.anchor, "_SM3_")) return fail(Errc::malformed, "not an SMBIOS 3 entry point");
  TRY(whole_entry_point(entry_point, length_offset_3, sizeof(EntryPoint3)));
  return location(fields.table_address, fields.table_size);
}

Result<Location> parse_entry_point_2(Bytes entry_point) {
  const auto fields = TRY(load<EntryPoint2>(entry_point, 0, "SMBIOS entry point too short"));
  if (!spells(fields.anchor, "_SM_") || !spells(fields.intermediate_anchor, "_DMI_"))
    return fail(Errc::malformed, "not an SMBIOS 2 entry point");
  TRY(whole_entry_point(entry_point, length_offset_2, shortest_length_2));
  const auto table = slice(entry_point, intermediate_offset, intermediate_size, "SMBIOS 2 table");
  if (!table.has_value() || sum(*table) != 0)
    return fail(Errc::malformed, "SMBIOS entry point with a wrong sum", intermediate_offset);
  return location(fields.table_address, fields.table_size);
}

}  // namespace keelson::smbios
