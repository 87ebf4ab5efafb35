// SPDX-License-Identifier: MIT
//
// Owns hardware ids: see hardware_ids.h.
#include "efi/format/hardware_ids.h"

#include "efi/base/digest.h"
#include "efi/base/hex.h"
#include "efi/base/text.h"

namespace keelson::hardware_ids {
namespace {

// ---- EDID (VESA E-EDID 1.4, 3.3 and 3.4) ----

constexpr std::size_t edid_size = 128;
constexpr std::array<std::uint8_t, 8> edid_header = {0x00, 0xff, 0xff, 0xff,
                                                     0xff, 0xff, 0xff, 0x00};

struct Edid {
  std::array<std::uint8_t, 8> header;
  Be<std::uint16_t> vendor;  // three letters of 5 bits, 1 is A
  Le<std::uint16_t> product;
};

// ---- SMBIOS ----

// Structures that end before their last field that we read are as good as absent, as in systemd.
constexpr std::size_t system_size = 27, baseboard_size = 8;
namespace system_field {
constexpr std::size_t manufacturer = 4, product = 5, sku = 25, family = 26;
}
namespace baseboard_field {
constexpr std::size_t manufacturer = 4, product = 5;
}

std::string_view trimmed(std::string_view text) {
  const auto drop_leading = [&](char c) {
    while (text.starts_with(c)) text.remove_prefix(1);
  };
  drop_leading(' ');
  drop_leading('0');
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// ---- CHIDs ----

enum Field : std::uint8_t { man, fam, prod, sku, bbman, bbprod, panel };
constexpr std::size_t field_count = 7;

struct IdType {
  std::uint8_t type;
  std::uint8_t field_count;
  std::array<Field, 6> fields;
};
constexpr IdType id_types[] = {
    {3, 6, {man, fam, prod, sku, bbman, bbprod}},
    {4, 4, {man, fam, prod, sku}},
    {5, 3, {man, fam, prod}},
    {6, 4, {man, sku, bbman, bbprod}},
    {7, 2, {man, sku}},
    {8, 4, {man, prod, bbman, bbprod}},
    {9, 2, {man, prod}},
    {10, 4, {man, fam, bbman, bbprod}},
    {11, 2, {man, fam}},
    {13, 3, {man, bbman, bbprod}},
    {14, 1, {man}},
    {15, 4, {man, fam, prod, panel}},
    {16, 3, {man, fam, panel}},
    {17, 3, {man, sku, panel}},
};

// 70ffd812-4c7f-4c7d-0000-000000000000 in big-endian order.
constexpr std::array<std::uint8_t, 16> id_namespace = {0x70, 0xff, 0xd8, 0x12,
                                                       0x4c, 0x7f, 0x4c, 0x7d};

// A name-based UUID (RFC 9562, 5.5), whose bytes are in text order, as UEFI stores GUIDs.
Guid guid_of(const Digest& digest) {
  const Bytes hash = digest.bytes();
  std::array<std::uint8_t, 16> text_order{};
  for (std::size_t i = 0; i < text_order.size(); ++i)
    text_order[i] = std::to_integer<std::uint8_t>(hash[i]);
  text_order[6] = static_cast<std::uint8_t>((text_order[6] & 0x0f) | 0x50);
  text_order[8] = static_cast<std::uint8_t>((text_order[8] & 0x3f) | 0x80);
  constexpr std::array<std::uint8_t, 16> from = {3, 2, 1,  0,  5,  4,  7,  6,
                                                 8, 9, 10, 11, 12, 13, 14, 15};
  Guid guid;
  for (std::size_t i = 0; i < from.size(); ++i) guid.bytes[i] = text_order[from[i]];
  return guid;
}

Result<Guid> make_id(const IdType& type, std::span<const std::u16string_view, field_count> texts) {
  Hasher hasher = TRY(Hasher::start(HashAlgorithm::sha1));
  hasher.update(std::as_bytes(std::span(id_namespace)));
  for (std::size_t i = 0; i < type.field_count; ++i) {
    if (i != 0) hasher.update(bytes_of(std::u16string_view(u"&")));
    hasher.update(bytes_of(texts[type.fields[i]]));
  }
  return guid_of(hasher.finish());
}

// ---- .hwids ----

// From the most specific on; 13 and 14 are too vague to choose by.
constexpr std::array<std::uint8_t, 12> priority = {17, 16, 15, 3, 6, 8, 10, 4, 5, 7, 9, 11};

// How many records there are before the terminator, or before what is too short for one and a byte
// of text.
Result<std::uint64_t> count_records(Bytes hwids) {
  std::uint64_t count = 0;
  while ((count + 1) * sizeof(Record) < hwids.size()) {
    const std::uint64_t at = count * sizeof(Record);
    const std::uint32_t descriptor = TRY(load<Record>(hwids, at, "hardware id record")).descriptor;
    if (descriptor == 0) break;
    const std::uint32_t kind = descriptor >> 28, size = descriptor & 0x0fff'ffff;
    const bool known = kind == static_cast<std::uint32_t>(DeviceKind::device_tree) ||
                       kind == static_cast<std::uint32_t>(DeviceKind::uefi_firmware);
    if (!known || size != sizeof(Record))
      return fail(Errc::unsupported, "hardware id record of unknown type", at);
    ++count;
  }
  return count;
}

Result<std::string_view> text_at(Bytes hwids, std::uint32_t offset) {
  if (offset == 0) return std::string_view();
  const std::string_view all = text_of(hwids);
  if (offset >= all.size()) return fail(Errc::truncated, "hardware id text past the end", offset);
  const std::size_t end = all.find('\0', offset);
  if (end == all.npos) return fail(Errc::malformed, "hardware id text without NUL", offset);
  return all.substr(offset, end - offset);
}

}  // namespace

Result<PanelId> parse_edid(Bytes edid) {
  if (edid.size() < edid_size) return fail(Errc::truncated, "EDID too short", edid.size());
  const auto fields = TRY(load<Edid>(edid, 0, "EDID"));
  if (fields.header != edid_header) return fail(Errc::malformed, "not an EDID");
  std::array<char, PanelId::size> text{};
  for (std::size_t i = 0; i < 3; ++i) {
    const int letter = fields.vendor >> (5 * (2 - i)) & 0x1f;
    if (letter < 1 || letter > 26) return fail(Errc::malformed, "EDID vendor is not letters");
    text[i] = static_cast<char>('A' + letter - 1);
  }
  for (std::size_t i = 0; i < 4; ++i)
    text[3 + i] = hex_digit(std::uint64_t{fields.product} >> (4 * (3 - i)));
  return PanelId(text);
}

Machine machine_of(const smbios::Table& table, std::optional<PanelId> panel) {
  Machine machine;
  machine.panel = panel;
  const auto system = table.first(smbios::type::system);
  if (system && system->formatted.size() >= system_size) {
    machine.manufacturer = trimmed(system->string_at(system_field::manufacturer));
    machine.family = trimmed(system->string_at(system_field::family));
    machine.product = trimmed(system->string_at(system_field::product));
    machine.sku = trimmed(system->string_at(system_field::sku));
  }
  const auto board = table.first(smbios::type::baseboard);
  if (board && board->formatted.size() >= baseboard_size) {
    machine.board_manufacturer = trimmed(board->string_at(baseboard_field::manufacturer));
    machine.board_product = trimmed(board->string_at(baseboard_field::product));
  }
  return machine;
}

Result<Ids> make_ids(const Machine& machine) {
  const std::array<std::string_view, field_count> utf8 = {machine.manufacturer,
                                                          machine.family,
                                                          machine.product,
                                                          machine.sku,
                                                          machine.board_manufacturer,
                                                          machine.board_product,
                                                          {}};
  TextArena arena;
  std::array<std::u16string_view, field_count> texts;
  for (std::size_t i = 0; i < field_count; ++i) {
    const std::string_view text = i == panel && machine.panel ? *machine.panel : utf8[i];
    texts[i] = TRY(to_utf16(text, BadText::drop, arena));
  }
  Ids ids{};
  for (const IdType& type : id_types)
    if (type.fields[type.field_count - 1u] != panel || machine.panel)
      ids[type.type] = TRY(make_id(type, texts));
  return ids;
}

Result<Device> find_device(Bytes hwids, const Ids& ids, DeviceKind kind) {
  if (hwids.size() > max_hwids_size)
    return fail(Errc::malformed, "hardware ids too large", hwids.size());
  const std::uint64_t count = TRY(count_records(hwids));
  for (const std::uint8_t type : priority) {
    if (ids[type].is_zero()) continue;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto record = TRY(load<Record>(hwids, i * sizeof(Record), "hardware id record"));
      if (record.descriptor >> 28 != static_cast<std::uint32_t>(kind) || record.chid != ids[type])
        continue;
      return Device{.name = TRY(text_at(hwids, record.name_offset)),
                    .id = TRY(text_at(hwids, record.id_offset))};
    }
  }
  return fail(Errc::not_found, "no hardware id of this machine");
}

}  // namespace keelson::hardware_ids
