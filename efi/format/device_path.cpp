// SPDX-License-Identifier: MIT
//
// Owns device paths: see device_path.h.
#include "efi/format/device_path.h"

#include "efi/base/esp_path.h"

namespace keelson::device_path {
namespace {

constexpr std::uint8_t hardware_memory_mapped = 3;
constexpr std::uint8_t acpi_device = 1;
constexpr std::uint8_t messaging_uri = 24;
constexpr std::uint8_t media_hard_drive = 1;
constexpr std::uint8_t media_cd_rom = 2;
constexpr std::uint8_t media_file_path = 4;
constexpr std::uint8_t end_instance = 0x01;
constexpr std::uint8_t end_entire = 0xff;

struct WireHardDrive {
  Le<std::uint32_t> partition_number;
  Le<std::uint64_t> start, size;
  Guid signature;
  std::uint8_t format, signature_type;
};
static_assert(sizeof(NodeHeader) + sizeof(WireHardDrive) == hard_drive_size);

struct WireCdRom {
  Le<std::uint32_t> boot_entry;
  Le<std::uint64_t> start, size;
};
static_assert(sizeof(NodeHeader) + sizeof(WireCdRom) == 24);

struct WireMemoryMapped {
  Le<std::uint32_t> memory_type;
  Le<std::uint64_t> start, end;
};
static_assert(sizeof(NodeHeader) + sizeof(WireMemoryMapped) == memory_mapped_size);

struct WireAcpi {
  Le<std::uint32_t> hid, uid;
};

// The node at `at`, end nodes included.
Result<Node> node_at(Bytes path, std::size_t at) {
  const auto header = TRY(load<NodeHeader>(path, at, "device path without end node"));
  if (header.length < sizeof(NodeHeader))
    return fail(Errc::malformed, "device path node length", at);
  const Bytes bytes = TRY(slice(path, at, header.length, "device path node past the end"));
  return Node{static_cast<Type>(header.type), header.subtype, at, bytes};
}

void append_node(Writer& to, Type type, std::uint8_t subtype, std::size_t data_size) {
  NodeHeader header{static_cast<unsigned char>(type), subtype, {}};
  header.length = static_cast<std::uint16_t>(sizeof(NodeHeader) + data_size);
  to.append_struct(header);
}

// Text of a FilePath node in units: up to a NUL or the node's end. The bytes may lie at any
// address.
std::size_t units_before_nul(Bytes data) {
  std::size_t units = 0;
  while (2 * units + 1 < data.size() &&
         (data[2 * units] != std::byte{0} || data[2 * units + 1] != std::byte{0}))
    ++units;
  return units;
}

}  // namespace

Result<std::optional<Node>> Walk::next() {
  const Node node = TRY(node_at(path_, at_));
  if (node.type == Type::end) return std::optional<Node>();
  at_ += node.bytes.size();
  return std::optional(node);
}

Result<Bytes> whole(Bytes bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const Node node = TRY(node_at(bytes, at));
    at += node.bytes.size();
    if (node.is(Type::end, end_entire)) return bytes.first(at);
    if (node.type == Type::end && node.subtype != end_instance)
      return fail(Errc::malformed, "device path end node of unknown kind", node.offset);
  }
  return fail(Errc::truncated, "device path without end node", at);
}

Result<Bytes> without_end(Bytes path) {
  Walk walk(path);
  while (TRY(walk.next())) continue;
  return path.first(walk.offset());
}

Result<bool> starts_with(Bytes path, Bytes prefix) {
  Walk all(path), wanted(prefix);
  while (const auto node = TRY(wanted.next())) {
    const auto candidate = TRY(all.next());
    if (!candidate || text_of(candidate->bytes) != text_of(node->bytes)) return false;
  }
  return true;
}

Result<HardDrive> read_hard_drive(const Node& node) {
  if (!node.is(Type::media, media_hard_drive) || node.bytes.size() != hard_drive_size)
    return fail(Errc::malformed, "not a hard drive node", node.offset);
  const auto wire = TRY(load<WireHardDrive>(node.data(), 0, "hard drive node"));
  return HardDrive{wire.partition_number, wire.start,  wire.size,
                   wire.signature,        wire.format, wire.signature_type};
}

Result<std::optional<FoundHardDrive>> last_hard_drive(Bytes path) {
  std::optional<Node> last;
  Walk walk(path);
  while (const auto node = TRY(walk.next()))
    if (node->is(Type::media, media_hard_drive)) last = node;
  if (!last) return std::optional<FoundHardDrive>();
  return std::optional(FoundHardDrive{TRY(read_hard_drive(*last)), *last});
}

Result<std::optional<FoundCdRom>> last_cd_rom(Bytes path) {
  std::optional<Node> last;
  Walk walk(path);
  while (const auto node = TRY(walk.next()))
    if (node->is(Type::media, media_cd_rom)) last = node;
  if (!last) return std::optional<FoundCdRom>();
  if (last->data().size() != sizeof(WireCdRom))
    return fail(Errc::malformed, "CD-ROM node of another size", last->offset);
  const auto wire = TRY(load<WireCdRom>(last->data(), 0, "CD-ROM node"));
  return std::optional(FoundCdRom{{wire.boot_entry, wire.start, wire.size}, *last});
}

std::optional<Acpi> read_acpi(const Node& node) {
  if (!node.is(Type::acpi, acpi_device)) return std::nullopt;
  const auto ids = load<WireAcpi>(node.data(), 0, "ACPI node");
  if (!ids.has_value()) return std::nullopt;
  return Acpi{.hid = ids->hid, .uid = ids->uid};
}

Result<std::optional<std::string_view>> first_uri(Bytes path) {
  Walk walk(path);
  while (const auto node = TRY(walk.next())) {
    if (!node->is(Type::messaging, messaging_uri)) continue;
    std::string_view uri = text_of(node->data());
    uri = uri.substr(0, uri.find('\0'));
    for (const char c : uri)
      if (c <= 0x20 || c > 0x7e) return fail(Errc::malformed, "URI is not ASCII", node->offset);
    return std::optional(uri);
  }
  return std::optional<std::string_view>();
}

Result<std::u16string_view> file_path_text(Bytes path, TextArena& arena) {
  // Each node holds at least 4 bytes beside its text: room for a separator and the final NUL.
  const Bytes nodes = TRY(without_end(path));
  const auto room = TRY(arena.reserve_utf16(nodes.size() / 2 + 1));
  std::size_t used = 0;
  Walk walk(path);
  while (const auto node = TRY(walk.next())) {
    if (!node->is(Type::media, media_file_path))
      return fail(Errc::unsupported, "path with other than file nodes", node->offset);
    const Bytes data = node->data();
    if (data.size() % 2 != 0) return fail(Errc::malformed, "file node of odd size", node->offset);
    std::size_t units = units_before_nul(data);
    std::size_t skip = 0;
    if (used != 0 && units != 0) {
      char16_t first;
      __builtin_memcpy(&first, data.data(), sizeof(first));
      const bool ends = is_path_separator(room[used - 1]);
      if (!ends && !is_path_separator(first)) room[used++] = u'\\';
      if (ends && is_path_separator(first)) skip = 1;
    }
    units -= skip;
    if (units != 0)
      __builtin_memcpy(room.subspan(used, units).data(), data.subspan(2 * skip).data(), 2 * units);
    used += units;
  }
  if (used == 0) return fail(Errc::unsupported, "path without a file node");
  room[used] = 0;
  return std::u16string_view(room.data(), used);
}

Result<> append_file_path(Writer& to, std::u16string_view path) {
  if (path.empty() || path.find(u'\0') != std::u16string_view::npos)
    return fail(Errc::malformed, "file path is empty or holds a NUL");
  if (file_path_size(path) > UINT16_MAX)
    return fail(Errc::malformed, "file path too long for a device path", path.size());
  append_node(to, Type::media, media_file_path, 2 * (path.size() + 1));
  to.append(bytes_of(path)).append_zeros(2);
  return {};
}

void append_hard_drive(Writer& to, const HardDrive& drive) {
  append_node(to, Type::media, media_hard_drive, sizeof(WireHardDrive));
  to.append_struct(WireHardDrive{drive.partition_number, drive.start, drive.size, drive.signature,
                                 drive.format, drive.signature_type});
}

void append_cd_rom(Writer& to, const CdRom& partition) {
  append_node(to, Type::media, media_cd_rom, sizeof(WireCdRom));
  to.append_struct(WireCdRom{partition.boot_entry, partition.start, partition.size});
}

void append_memory_mapped(Writer& to, std::uint32_t memory_type, std::uint64_t start,
                          std::uint64_t end) {
  append_node(to, Type::hardware, hardware_memory_mapped, sizeof(WireMemoryMapped));
  to.append_struct(WireMemoryMapped{memory_type, start, end});
}

void append_end(Writer& to) { append_node(to, Type::end, end_entire, 0); }

Result<> append_disk_of(Writer& to, Bytes path) {
  const auto found = TRY(last_hard_drive(path));
  if (!found) return fail(Errc::not_found, "path without a partition");
  to.append(path.first(found->node.offset));
  append_end(to);
  return {};
}

Result<> append_file_on(Writer& to, Bytes volume, std::u16string_view path) {
  to.append(TRY(without_end(volume)));
  TRY(append_file_path(to, path));
  append_end(to);
  return {};
}

}  // namespace keelson::device_path
