// SPDX-License-Identifier: MIT
//
// Device paths: walking untrusted bytes, reading, building.
#include "efi/format/device_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace keelson {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
namespace dp = device_path;

constexpr Guid esp_guid = "11111111-2222-3333-4444-555555555555"_guid;
constexpr dp::HardDrive esp{.partition_number = 1,
                            .start = 2048,
                            .size = 1000,
                            .signature = esp_guid,
                            .format = 2,
                            .signature_type = 2};
const std::string end = "\x7f\xff\x04\x00"s;
const std::string acpi = "\x02\x01\x0c\x00\xd0\x41\x03\x0a\x00\x00\x00\x00"s;
const std::string pci = "\x01\x01\x06\x00\x00\x1f"s;

// What `build(Writer&)` appends, as a string.
template <class Build>
std::string built(Build&& build) {
  std::vector<std::byte> room(4096);
  Writer writer(room);
  build(writer);
  const auto done = writer.done();
  return done.has_value() ? std::string(text_of(*done)) : "(too long)";
}
std::string file_node(std::u16string_view path) {
  return built([&](Writer& to) { EXPECT_TRUE(dp::append_file_path(to, path).has_value()); });
}
std::string partition_node(const dp::HardDrive& drive) {
  return built([&](Writer& to) { dp::append_hard_drive(to, drive); });
}

std::u16string text(const std::string& path) {
  TextArena arena;
  const auto result = dp::file_path_text(bytes_of(path), arena);
  return result.has_value() ? std::u16string(*result) : u"(refused)";
}

TEST(DevicePath, NodesHaveTheBytesOfTheSpecification) {
  EXPECT_EQ(file_node(u"\\a"), "\x04\x04\x0a\x00\\\0a\0\0\0"s);
  EXPECT_EQ(partition_node(esp).substr(0, 24),
            "\x04\x01\x2a\x00\x01\0\0\0\x00\x08\0\0\0\0\0\0\xe8\x03\0\0\0\0\0\0"s);
  EXPECT_EQ(partition_node(esp).size(), dp::hard_drive_size);
  EXPECT_EQ(partition_node(esp).substr(40), "\x02\x02"s);
  EXPECT_EQ(built([](Writer& to) { dp::append_memory_mapped(to, 2, 0x1000, 0x1fff); }),
            "\x01\x03\x18\x00\x02\0\0\0\x00\x10\0\0\0\0\0\0\xff\x1f\0\0\0\0\0\0"s);
  constexpr Guid linux_initrd_media = "5568e427-68fc-4f3d-ac74-ca555231cc68"_guid;
  EXPECT_EQ(text_of(std::as_bytes(std::span(dp::linux_initrd_path))),
            "\x04\x03\x14\x00"s + std::string(text_of(bytes_of_struct(linux_initrd_media))) + end);
  EXPECT_EQ(dp::file_path_size(u"\\a"), 10u);
}

TEST(DevicePath, WhatDoesNotFitANodeIsRefused) {
  std::vector<std::byte> room(200000);
  Writer writer(room);
  EXPECT_FALSE(dp::append_file_path(writer, u"").has_value());
  EXPECT_FALSE(dp::append_file_path(writer, u"a\0b"sv).has_value());
  EXPECT_FALSE(dp::append_file_path(writer, std::u16string(32766, u'x')).has_value());
  EXPECT_EQ(writer.size(), 0u) << "nothing was appended";
  EXPECT_TRUE(dp::append_file_path(writer, std::u16string(32764, u'x')).has_value());
}

TEST(DevicePath, WalkIsBounded) {
  struct Row {
    std::string path;
    int nodes;  // -1: refused
    std::string_view reason;
  };
  const Row rows[] = {
      {acpi + pci + end, 2, "plain"},
      {end, 0, "empty path"},
      {acpi + end + pci, 1, "what follows the end is not looked at"},
      {acpi + "\x7f\x01\x04\x00"s + pci + end, 1, "I-device path 8: only the first instance"},
      {"", -1, "no bytes"},
      {acpi, -1, "2: no end node"},
      {"\x01\x01\x00\x00"s + end, -1, "1: length 0"},
      {"\x01\x01\x01\x00"s + end, -1, "1: length 1"},
      {"\x01\x01\x03\x00"s + end, -1, "1: length 3"},
      {"\x01\x01\x04\x00"s + end, 1, "length 4: no data"},
      {"\x01\x01\xff\xff"s + end, -1, "3: node past the buffer"},
      {"\x7f\xff"s, -1, "cut in the end node's header"},
  };
  for (const Row& row : rows) {
    dp::Walk walk(bytes_of(row.path));
    int nodes = 0;
    bool good = true;
    for (bool more = true; more;) {
      const auto node = walk.next();
      good = node.has_value();
      more = good && node->has_value();
      if (more) ++nodes;
    }
    EXPECT_EQ(good ? nodes : -1, row.nodes) << row.reason;
  }
  std::string many;
  for (int i = 0; i < 10000; ++i) many += pci;
  EXPECT_EQ(dp::whole(bytes_of(many + end))->size(), many.size() + 4) << "7: 10,000 nodes";
}

TEST(DevicePath, EveryPrefixIsRefused) {
  const std::string path = acpi + partition_node(esp) + file_node(u"\\EFI\\x.efi") + end;
  for (std::size_t size = 0; size < path.size(); ++size) {
    const std::string prefix = path.substr(0, size);
    EXPECT_FALSE(dp::whole(bytes_of(prefix)).has_value()) << size;
    EXPECT_FALSE(dp::last_hard_drive(bytes_of(prefix)).has_value()) << size;
  }
  EXPECT_EQ(text_of(*dp::whole(bytes_of(path + "junk"))), path);
  const std::string instances = acpi + "\x7f\x01\x04\x00"s + pci + end;
  EXPECT_EQ(text_of(*dp::whole(bytes_of(instances))), instances);
  EXPECT_FALSE(dp::whole(bytes_of(acpi + "\x7f\x02\x04\x00"s + end)).has_value());
}

TEST(DevicePath, StartsWith) {
  const auto starts = [](const std::string& path, const std::string& prefix) {
    const auto result = dp::starts_with(bytes_of(path), bytes_of(prefix));
    return result.has_value() && *result;
  };
  EXPECT_TRUE(starts(acpi + pci + end, acpi + end));
  EXPECT_TRUE(starts(acpi + end, end));
  EXPECT_TRUE(starts(acpi + end, acpi + end));
  EXPECT_FALSE(starts(acpi + end, acpi + pci + end));
  EXPECT_FALSE(starts(pci + end, acpi + end));
  EXPECT_FALSE(starts(acpi + end, acpi)) << "prefix without end node";
}

TEST(DevicePath, HardDrives) {
  dp::HardDrive other = esp;
  other.partition_number = 2;
  const std::string path =
      acpi + partition_node(esp) + partition_node(other) + file_node(u"\\x") + end;
  const auto found = dp::last_hard_drive(bytes_of(path));
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->drive.partition_number, 2u) << "the last one counts";
  EXPECT_EQ((*found)->node.offset, acpi.size() + dp::hard_drive_size);
  EXPECT_EQ((*found)->drive.start, 2048u);
  EXPECT_EQ((*found)->drive.size, 1000u);
  EXPECT_EQ((*found)->drive.partition_guid(), esp_guid);
  dp::HardDrive mbr = esp;
  mbr.format = 1;
  EXPECT_FALSE(mbr.partition_guid().has_value());
  EXPECT_FALSE(dp::last_hard_drive(bytes_of(acpi + end))->has_value());
  EXPECT_FALSE(dp::last_hard_drive(bytes_of("\x04\x01\x08\x00\x01\0\0\0"s + end)).has_value())
      << "a short node";
}

TEST(DevicePath, DiskAndFiles) {
  const std::string path = acpi + partition_node(esp) + file_node(u"\\x") + end;
  EXPECT_EQ(
      built([&](Writer& to) { EXPECT_TRUE(dp::append_disk_of(to, bytes_of(path)).has_value()); }),
      acpi + end);
  EXPECT_EQ(
      built([&](Writer& to) {
        EXPECT_TRUE(
            dp::append_file_on(to, bytes_of(acpi + partition_node(esp) + end), u"\\y").has_value());
      }),
      acpi + partition_node(esp) + file_node(u"\\y") + end);
  std::vector<std::byte> room(256);
  Writer writer(room);
  EXPECT_EQ(dp::append_disk_of(writer, bytes_of(acpi + end)).error().code, Errc::not_found);
}

TEST(DevicePath, FilePathText) {
  struct Row {
    std::string path;
    std::u16string text;
    std::string_view reason;
  };
  const Row rows[] = {
      {file_node(u"\\EFI\\BOOT\\BOOTX64.EFI") + end, u"\\EFI\\BOOT\\BOOTX64.EFI", "one node"},
      {file_node(u"\\EFI") + file_node(u"BOOT") + end, u"\\EFI\\BOOT", "joined"},
      {file_node(u"\\EFI\\") + file_node(u"BOOT") + end, u"\\EFI\\BOOT", "one separator: left"},
      {file_node(u"\\EFI") + file_node(u"\\BOOT") + end, u"\\EFI\\BOOT", "one separator: right"},
      {file_node(u"\\EFI\\") + file_node(u"\\BOOT") + end, u"\\EFI\\BOOT", "not doubled"},
      {file_node(u"/EFI/x") + end, u"/EFI/x", "as it stands"},
      {"\x04\x04\x08\x00\\\0a\0"s + end, u"\\a", "4: no NUL"},
      {"\x04\x04\x0c\x00\\\0a\0\0\0b\0"s + end, u"\\a", "text behind the NUL"},
      {"\x04\x04\x07\x00\\\0a"s + end, u"(refused)", "5: odd size"},
      {"\x04\x04\x04\x00"s + end, u"(refused)", "no text at all"},
      {"\x04\x04\x04\x00"s + file_node(u"a") + end, u"a", "an empty node adds nothing"},
      {acpi + file_node(u"\\x") + end, u"(refused)", "other nodes"},
      {end, u"(refused)", "no nodes"},
      {file_node(u"\\x"), u"(refused)", "no end"},
  };
  for (const Row& row : rows) EXPECT_EQ(text(row.path), row.text) << row.reason;
}

TEST(DevicePath, Uris) {
  struct Row {
    std::string path;
    std::optional<std::string> uri;
    bool good;
    std::string_view reason;
  };
  const Row rows[] = {
      {acpi + "\x03\x18\x0c\x00http://a"s + end, "http://a", true, "6: no NUL"},
      {"\x03\x18\x0e\x00http://a\0x"s + end, "http://a", true, "a NUL, as EDK2 writes it"},
      {"\x03\x18\x04\x00"s + "\x03\x18\x05\x00y"s + end, "", true, "first node counts"},
      {acpi + end, std::nullopt, true, "none"},
      {"\x03\x18\x06\x00\xc3\xa4"s + end, std::nullopt, false, "10: not ASCII"},
      {"\x03\x18\x06\x00\r\n"s + end, std::nullopt, false, "control characters"},
  };
  for (const Row& row : rows) {
    const auto uri = dp::first_uri(bytes_of(row.path));
    EXPECT_EQ(uri.has_value(), row.good) << row.reason;
    if (uri.has_value()) {
      EXPECT_EQ(uri->has_value(), row.uri.has_value()) << row.reason;
      if (*uri && row.uri) EXPECT_EQ(**uri, *row.uri) << row.reason;
    }
  }
}

TEST(DevicePath, AcpiNodes) {
  const auto first = [](const std::string& path) {
    dp::Walk walk(bytes_of(path));
    return dp::read_acpi(**walk.next());
  };
  const auto port = first("\x02\x01\x0c\x00\xd0\x41\x01\x05\x07\x00\x00\x00"s + end);
  ASSERT_TRUE(port);
  EXPECT_EQ(port->hid, dp::acpi_serial_port);
  EXPECT_EQ(port->uid, 7u);
  EXPECT_FALSE(first("\x02\x01\x08\x00\xd0\x41\x01\x05"s + end)) << "a short node";
  EXPECT_FALSE(first("\x02\x02\x0c\x00\xd0\x41\x01\x05\x07\x00\x00\x00"s + end))
      << "an extended node";
  EXPECT_FALSE(first(partition_node(esp) + end)) << "another node";
}

}  // namespace
}  // namespace keelson
