// SPDX-License-Identifier: MIT
//
// Hardware ids (efi/format/hardware_ids.h): the vectors of stub.md 1.4, trimming, priority, panels,
// and the bad inputs of I-hwids.
#include "efi/format/hardware_ids.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "efi/base/wire.h"
#include "host-tests/format/sample_smbios.h"

namespace keelson {
namespace {

using namespace std::literals;
using hardware_ids::DeviceKind;

constexpr hardware_ids::PanelId panel({'A', 'C', 'M', '1', '2', 'a', 'b'});
// As the machine's SMBIOS has it: with blanks and zeros that do not count.
const std::string vector_table =
    sample::smbios_system(
        {.manufacturer = " Acme ", .product = "0Mk2", .sku = "42", .family = "Rocket"}) +
    sample::smbios_board("Acme", "Board7") + sample::smbios_end();

hardware_ids::Machine machine_of(const std::string& table,
                                 std::optional<hardware_ids::PanelId> screen = panel) {
  return hardware_ids::machine_of(smbios::Table(bytes_of(table)), screen);
}
hardware_ids::Ids ids_of(const hardware_ids::Machine& machine) {
  const auto ids = hardware_ids::make_ids(machine);
  EXPECT_TRUE(ids.has_value());
  return ids.has_value() ? *ids : hardware_ids::Ids{};
}
std::string text(const Guid& guid) {
  const auto characters = to_text(guid);
  return std::string(characters.begin(), characters.end());
}

TEST(HardwareIds, Vectors) {
  const hardware_ids::Ids ids = ids_of(machine_of(vector_table));
  const std::pair<std::size_t, std::string_view> rows[] = {
      {3, "229f784b-8c26-549b-b5c1-91575bc3635a"},  {7, "48dbf6ac-5c17-5fbe-b374-da088339fb39"},
      {9, "b499b467-9f2a-59b6-b53d-3ec81c8a1197"},  {11, "c0f8d06d-ef3d-5113-9eab-5d00bf9f6d07"},
      {17, "0a2d6745-3586-50fd-9a24-254350ab4d0a"},
  };
  for (const auto& [type, id] : rows) EXPECT_EQ(text(ids[type]), id) << type;
  for (const std::size_t never : {0u, 1u, 2u, 12u}) EXPECT_TRUE(ids[never].is_zero()) << never;
  const hardware_ids::Ids without = ids_of(machine_of(vector_table, std::nullopt));
  for (std::size_t type = 0; type < ids.size(); ++type) {
    if (type >= 15)
      EXPECT_TRUE(without[type].is_zero()) << "extension types need a panel";
    else
      EXPECT_EQ(without[type], ids[type]) << type;
  }
}

TEST(HardwareIds, EveryTypeHasItsOwnTexts) {
  // Ids that are made of a text change with it; the others do not.
  using Machine = hardware_ids::Machine;
  struct Row {
    std::string_view Machine::* field;
    std::vector<std::size_t> types;
  };
  const Row rows[] = {
      {&Machine::manufacturer, {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17}},
      {&Machine::family, {3, 4, 5, 10, 11, 15, 16}},
      {&Machine::product, {3, 4, 5, 8, 9, 15}},
      {&Machine::sku, {3, 4, 6, 7, 17}},
      {&Machine::board_manufacturer, {3, 6, 8, 10, 13}},
      {&Machine::board_product, {3, 6, 8, 10, 13}},
  };
  const Machine machine = machine_of(vector_table);
  const hardware_ids::Ids before = ids_of(machine);
  const auto changed = [&](const Machine& other) {
    const hardware_ids::Ids ids = ids_of(other);
    std::vector<std::size_t> types;
    for (std::size_t type = 0; type < ids.size(); ++type)
      if (ids[type] != before[type]) types.push_back(type);
    return types;
  };
  for (const Row& row : rows) {
    Machine other = machine;
    other.*row.field = "another";
    EXPECT_EQ(changed(other), row.types);
  }
  Machine other = machine;
  other.panel = hardware_ids::PanelId({'A', 'C', 'M', '1', '2', 'a', 'c'});
  EXPECT_EQ(changed(other), (std::vector<std::size_t>{15, 16, 17}));
}

TEST(HardwareIds, TextsAreTrimmed) {
  const std::pair<std::string, std::string_view> rows[] = {
      {"Acme", "Acme"}, {"  Acme  ", "Acme"}, {"0042", "42"}, {" 0042 ", "42"}, {"0 42", " 42"},
      {"42 0", "42 0"}, {"a 00 ", "a 00"},    {"   ", ""},    {"000", ""},      {"\tx", "\tx"},
  };
  for (const auto& [stated, used] : rows)
    EXPECT_EQ(machine_of(sample::smbios_system({.product = stated})).product, used) << stated;
}

TEST(HardwareIds, WhatTheMachineDoesNotSay) {
  const auto none = machine_of("");
  EXPECT_EQ(none.manufacturer, "");
  EXPECT_EQ(none.board_product, "");
  // I-SMBIOS 8, and the last field just missing.
  const std::string_view strings[] = {"\x01\x02"sv, "\x01\x02\0\0UUUUUUUUUUUUUUUU\x06\x03"sv};
  for (const std::string_view area : strings) {
    const std::string table = sample::smbios_structure(1, area, {"man", "prod", "sku"});
    EXPECT_EQ(machine_of(table).manufacturer, "") << area.size();
  }
  const std::string board = sample::smbios_structure(2, "\x01\x02\0"sv, {"man", "prod"});
  EXPECT_EQ(machine_of(board).board_manufacturer, "");
  const auto empty = ids_of(none), other = ids_of(machine_of(""));
  EXPECT_EQ(empty, other);
  EXPECT_FALSE(empty[14].is_zero()) << "empty texts make ids, as in systemd";
}

TEST(HardwareIds, NonAsciiTextsAreUtf8) {
  const auto ids = ids_of(machine_of(sample::smbios_system({.manufacturer = "Ac\xc3\xa4me"})));
  const auto dropped = ids_of(machine_of(sample::smbios_system({.manufacturer = "Ac\xffme"})));
  const auto plain = ids_of(machine_of(sample::smbios_system({.manufacturer = "Acme"})));
  EXPECT_NE(ids[14], plain[14]);
  EXPECT_EQ(dropped[14], plain[14]) << "what does not decode is left out";
}

// ---- Panels ----

std::string edid(std::uint16_t vendor, std::uint16_t product) {
  std::string bytes = "\x00\xff\xff\xff\xff\xff\xff\x00"s;
  bytes += static_cast<char>(vendor >> 8);
  bytes += static_cast<char>(vendor & 0xff);
  bytes += static_cast<char>(product & 0xff);
  bytes += static_cast<char>(product >> 8);
  bytes.resize(128);
  return bytes;
}
constexpr std::uint16_t letters(char a, char b, char c) {
  return static_cast<std::uint16_t>((a - '@') << 10 | (b - '@') << 5 | (c - '@'));
}

TEST(HardwareIds, Panels) {
  struct Row {
    std::string bytes;
    std::string_view id;  // empty: an error
    std::string_view reason;
  };
  const std::string good = edid(letters('A', 'C', 'M'), 0x12ab);
  std::string bad_header = good;
  bad_header[7] = 1;
  const Row rows[] = {
      {good, "ACM12ab", "that of the vector"},
      {good + std::string(128, 'x'), "ACM12ab", "with an extension"},
      {edid(letters('Z', 'Z', 'Z'), 1), "ZZZ0001", "the last letter"},
      {good.substr(0, 127), "", "too short"},
      {"", "", "nothing"},
      {bad_header, "", "another header"},
      {edid(letters('A', '@', 'M'), 1), "", "no letter"},
      {edid(letters('A', '[', 'M'), 1), "", "no letter"},
  };
  for (const Row& row : rows) {
    const auto found = hardware_ids::parse_edid(bytes_of(row.bytes));
    EXPECT_EQ(found.has_value() ? std::string_view(*found) : std::string_view(), row.id)
        << row.reason;
  }
}

// ---- .hwids ----

struct Record {
  Le<std::uint32_t> descriptor = 0x1000001c;
  Guid chid;
  Le<std::uint32_t> name_offset = 0, id_offset = 0;
};

struct Row {
  Guid chid;
  std::string id;  // also the name
  DeviceKind kind = DeviceKind::device_tree;
};
std::string hwids(const std::vector<Row>& rows) {
  std::string records, texts;
  const std::size_t first_text = (rows.size() + 1) * sizeof(Record);
  for (const Row& row : rows) {
    Record record{.descriptor = static_cast<std::uint32_t>(row.kind) << 28 | 28, .chid = row.chid};
    record.name_offset = record.id_offset = static_cast<std::uint32_t>(first_text + texts.size());
    texts += row.id + '\0';
    records += text_of(bytes_of_struct(record));
  }
  return records + std::string(sizeof(Record), '\0') + texts;
}

std::string bytes_from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += std::to_integer<char>(byte_from_hex(digits[i], digits[i + 1]).value());
  return bytes;
}

TEST(Hwids, Vector) {
  const std::string section =
      bytes_from_hex("1c00001067b499b42a9fb659b53d3ec81c8a1197380000003d000000") +
      std::string(28, '\0') + bytes_from_hex("4d6b32210061636d652c6d6b3200");
  ASSERT_EQ(section.size(), 70u);
  const auto device = hardware_ids::find_device(bytes_of(section), ids_of(machine_of(vector_table)),
                                                DeviceKind::device_tree);
  ASSERT_TRUE(device.has_value());
  EXPECT_EQ(device->name, "Mk2!");
  EXPECT_EQ(device->id, "acme,mk2");
}

TEST(Hwids, TheMostSpecificWins) {
  const hardware_ids::Ids ids = ids_of(machine_of(vector_table));
  // Least specific first in the table, so that its order alone would choose wrongly.
  constexpr std::size_t by_priority[] = {17, 16, 15, 3, 6, 8, 10, 4, 5, 7, 9, 11};
  std::vector<Row> rows;
  for (const std::size_t type : by_priority)
    rows.insert(rows.begin(), {ids[type], std::to_string(type)});
  for (const std::size_t type : by_priority) {
    const std::string section = hwids(rows);
    const auto device = hardware_ids::find_device(bytes_of(section), ids, DeviceKind::device_tree);
    ASSERT_TRUE(device.has_value());
    EXPECT_EQ(device->id, std::to_string(type));
    rows.pop_back();
  }
}

TEST(Hwids, WhatMatches) {
  const hardware_ids::Ids ids = ids_of(machine_of(vector_table));
  const hardware_ids::Ids no_panel = ids_of(machine_of(vector_table, std::nullopt));
  constexpr auto tree = DeviceKind::device_tree, firmware = DeviceKind::uefi_firmware;
  struct Case {
    std::string section;
    const hardware_ids::Ids& ids;
    DeviceKind kind;
    std::string_view id;  // empty: nothing
    std::string_view reason;
  };
  const Case cases[] = {
      {hwids({{ids[9], "a"}, {ids[9], "b"}}), ids, tree, "a", "two matches: the first"},
      {hwids({{ids[9], "a", firmware}, {ids[11], "b"}}), ids, tree, "b", "another kind"},
      {hwids({{ids[9], "a", firmware}, {ids[11], "b"}}), ids, firmware, "a", "that kind"},
      {hwids({{Guid{}, "a"}}), no_panel, tree, "", "a zero id is nobody's"},
      {hwids({{ids[13], "a"}, {ids[14], "b"}}), ids, tree, "", "13 and 14 say too little"},
      {hwids({{ids[17], "a"}}), no_panel, tree, "", "no panel"},
      {hwids({{"01234567-89ab-cdef-0123-456789abcdef"_guid, "a"}}), ids, tree, "",
       "another machine"},
  };
  for (const Case& row : cases) {
    const auto device = hardware_ids::find_device(bytes_of(row.section), row.ids, row.kind);
    if (device.has_value())
      EXPECT_EQ(device->id, row.id) << row.reason;
    else
      EXPECT_TRUE(row.id.empty() && device.error().code == Errc::not_found) << row.reason;
  }
}

TEST(Hwids, BadInput) {
  const hardware_ids::Ids ids = ids_of(machine_of(vector_table));
  const Guid id = ids[9];
  const auto record = [&](std::uint32_t descriptor, std::uint32_t text_at) {
    return std::string(text_of(bytes_of_struct(
        Record{.descriptor = descriptor, .chid = id, .name_offset = 0, .id_offset = text_at})));
  };
  constexpr std::uint32_t tree = 0x1000001c;
  const std::string end(28, '\0');
  struct Case {
    std::string section;
    std::optional<Errc> error;
    std::string_view id;
    std::string_view reason;
  };
  const Case cases[] = {
      {"", Errc::not_found, "", "I-hwids 9: empty"},
      {end + "x", Errc::not_found, "", "I-hwids 9: only the terminator"},
      {record(tree, 28) + "a\0"s, std::nullopt, "a", "I-hwids 1: no terminator, text instead"},
      {record(tree, 28) + record(tree, 0), std::nullopt, "\x1c", "I-hwids 7: text in the table"},
      {record(tree, 58) + end + "a\0"s, Errc::truncated, "", "I-hwids 2: offset past the end"},
      {record(tree, 0xffff'ffff) + end, Errc::truncated, "", "I-hwids 2: offset past the end"},
      {record(tree, 56) + end + "a", Errc::malformed, "", "I-hwids 3: text without NUL"},
      {record(tree, 0) + end, std::nullopt, "", "no text"},
      {record(0x3000001c, 56) + end + "a\0"s, Errc::unsupported, "", "I-hwids 4: unknown type"},
      {record(tree, 56) + record(0x3000001c, 56) + end + "a\0"s, Errc::unsupported, "",
       "I-hwids 4: also behind the match"},
      {record(0x10000020, 56) + end + "a\0"s, Errc::unsupported, "", "another size of records"},
      {record(tree, 0).substr(0, 27), Errc::not_found, "", "I-hwids 6: one byte short"},
      {record(tree, 0), Errc::not_found, "", "a record that is not followed by anything"},
      {record(tree, 28) + std::string(1_MiB, 'a') + '\0', Errc::malformed, "", "I-hwids 10"},
  };
  for (const Case& row : cases) {
    // I-hwids 5: also at an odd address.
    const std::string shifted = "x" + row.section;
    for (const Bytes section : {bytes_of(row.section), bytes_of(shifted).subspan(1)}) {
      const auto device = hardware_ids::find_device(section, ids, DeviceKind::device_tree);
      ASSERT_EQ(device.has_value(), !row.error.has_value()) << row.reason;
      if (device.has_value())
        EXPECT_EQ(device->id, row.id) << row.reason;
      else
        EXPECT_EQ(name(device.error().code), name(*row.error)) << row.reason;
    }
  }
}

}  // namespace
}  // namespace keelson
