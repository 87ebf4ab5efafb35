// SPDX-License-Identifier: MIT
//
// Owns device paths (UEFI 2.10, chapter 10) as bytes that nobody has checked: walking, reading the
// nodes we need, building. Whoever calls protocols with them is elsewhere.
// Firmware gives paths without a size: hand over max_size bytes from the pointer; nothing behind
// the end node is ever touched.
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/bytes.h"
#include "efi/base/guid.h"
#include "efi/base/page_list.h"
#include "efi/base/wire.h"

namespace keelson::device_path {

// Bound of a path that comes as a bare pointer.
inline constexpr std::size_t max_size = 64_KiB;

enum class Type : std::uint8_t {
  hardware = 1,
  acpi = 2,
  messaging = 3,
  media = 4,
  bios_boot = 5,
  end = 0x7f
};

struct NodeHeader {
  unsigned char type, subtype;
  Le<std::uint16_t> length;  // with this header
};
static_assert(sizeof(NodeHeader) == 4);

struct Node {
  Type type{};  // any byte value
  std::uint8_t subtype = 0;
  std::size_t offset = 0;  // in the path
  Bytes bytes;             // the whole node
  Bytes data() const { return bytes.subspan(sizeof(NodeHeader)); }
  bool is(Type t, std::uint8_t s) const { return type == t && subtype == s; }
};

// while (const auto node = TRY(walk.next())) ...: the nodes before the first end node of either
// kind: of a multi-instance path, the first instance.
class Walk {
 public:
  explicit Walk(Bytes path) : path_(path) {}
  // nullopt at the end node. Errors: malformed (length below 4), truncated (no end node).
  Result<std::optional<Node>> next();
  // Where the next node begins; after the last one, the end node.
  std::size_t offset() const { return at_; }

 private:
  Bytes path_;
  std::size_t at_ = 0;
};

// The path with all its instances, up to and with the end node; what follows in `bytes` is cut off.
Result<Bytes> whole(Bytes bytes);
// The nodes of the first instance without the end node.
Result<Bytes> without_end(Bytes path);
// Whether `path` begins with all nodes of `prefix` (end nodes do not count).
Result<bool> starts_with(Bytes path, Bytes prefix);

// ---- Reading ----

struct HardDrive {  // media 1
  std::uint32_t partition_number = 0;
  std::uint64_t start = 0;  // blocks
  std::uint64_t size = 0;   // blocks
  Guid signature;
  std::uint8_t format = 0;          // 2: GPT
  std::uint8_t signature_type = 0;  // 2: GUID
  // nullopt for MBR partitions.
  std::optional<Guid> partition_guid() const {
    if (format != 2 || signature_type != 2) return std::nullopt;
    return signature;
  }
};
// Error: malformed, if the node has another type or size.
Result<HardDrive> read_hard_drive(const Node& node);
// The last HardDrive node of the path, where it begins in `path`, or nullopt.
struct FoundHardDrive {
  HardDrive drive;
  Node node;
};
Result<std::optional<FoundHardDrive>> last_hard_drive(Bytes path);

struct CdRom {  // media 2: an entry of an El Torito boot catalogue
  std::uint32_t boot_entry = 0;
  std::uint64_t start = 0;  // blocks
  std::uint64_t size = 0;   // blocks
};
// The last CD-ROM node of the path, or nullopt. Error: malformed, if it has another size.
struct FoundCdRom {
  CdRom partition;
  Node node;
};
Result<std::optional<FoundCdRom>> last_cd_rom(Bytes path);

struct Acpi {  // ACPI 1
  std::uint32_t hid = 0, uid = 0;
};
// nullopt for other nodes, and for one that is too short.
std::optional<Acpi> read_acpi(const Node& node);
inline constexpr std::uint32_t acpi_serial_port = 0x050141d0;  // PNP0501, a 16550

// Text of the first URI node (messaging 24); ends at the node's end or at a NUL. nullopt if there
// is none. Error: malformed, if it is not ASCII. Borrows from `path`.
Result<std::optional<std::string_view>> first_uri(Bytes path);

// Text of a path of FilePath nodes only (media 4), as image identifiers show it: nodes are joined
// with one backslash, the rest is as it stands. A node's text ends at a NUL or at the node's end.
// Errors: malformed (odd size), unsupported (other nodes, or none), out_of_memory.
Result<std::u16string_view> file_path_text(Bytes path, TextArena& arena);

// ---- Building: each appends one node; `Writer::done` tells if the buffer was large enough ----

// Error: malformed, if the text does not fit a node (or holds a NUL).
Result<> append_file_path(Writer& to, std::u16string_view path);
void append_hard_drive(Writer& to, const HardDrive& drive);
void append_cd_rom(Writer& to, const CdRom& partition);
// Hardware 3. `end` is the last byte's address (stub.md 7.2).
void append_memory_mapped(Writer& to, std::uint32_t memory_type, std::uint64_t start,
                          std::uint64_t end);
void append_end(Writer& to);

constexpr std::size_t file_path_size(std::u16string_view path) {
  return sizeof(NodeHeader) + 2 * (path.size() + 1);
}
inline constexpr std::size_t hard_drive_size = 42;
inline constexpr std::size_t memory_mapped_size = 24;
inline constexpr std::size_t end_size = 4;

// `path` cut before its last HardDrive node, with an end node: the disk. Error: not_found.
Result<> append_disk_of(Writer& to, Bytes path);
// The nodes of `volume`, a FilePath node, an end node: a file on that volume.
Result<> append_file_on(Writer& to, Bytes volume, std::u16string_view path);

// The whole path on which Linux asks for its initrd (stub.md 7.4): a vendor media node with
// LINUX_EFI_INITRD_MEDIA_GUID, 5568e427-68fc-4f3d-ac74-ca555231cc68.
inline constexpr std::array<unsigned char, 24> linux_initrd_path = {
    0x04, 0x03, 0x14, 0x00, 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
    0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68, 0x7f, 0xff, 0x04, 0x00};

}  // namespace keelson::device_path
