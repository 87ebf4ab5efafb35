// SPDX-License-Identifier: MIT
//
// Owns reading GPT headers and entries: see gpt.h.
#include "efi/format/gpt.h"

#include <bit>

#include "efi/base/wire.h"

namespace keelson::gpt {
namespace {

struct WireHeader {
  std::array<char, 8> signature;
  Le<std::uint32_t> revision, header_size, header_crc, reserved;
  Le<std::uint64_t> my_lba, alternate_lba, first_usable_lba, last_usable_lba;
  Guid disk;
  Le<std::uint64_t> entries_lba;
  Le<std::uint32_t> entry_count, entry_size, entries_crc;
};
static_assert(sizeof(WireHeader) == 92 && alignof(WireHeader) == 1);

struct WireEntry {
  Guid type, guid;
  Le<std::uint64_t> first_lba, last_lba, attributes;
  std::array<unsigned char, 72> name;
};
static_assert(sizeof(WireEntry) == 128 && alignof(WireEntry) == 1);

// The remainders of the 16 values of half a byte.
constexpr std::array<std::uint32_t, 16> make_crc_table() {
  std::array<std::uint32_t, 16> table{};
  for (std::uint32_t i = 0; i < 16; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 4; ++bit) value = value & 1 ? (value >> 1) ^ 0xEDB88320u : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 16> crc_table = make_crc_table();

Result<> check_size_fields(const WireHeader& wire, Bytes block) {
  if (wire.header_size < sizeof(WireHeader) || wire.header_size > 512 ||
      wire.header_size > block.size())
    return fail(Errc::malformed, "GPT header size", wire.header_size);
  if (wire.revision != 0x10000) return fail(Errc::unsupported, "GPT revision", wire.revision);
  return {};
}

Result<> check_header_crc(const WireHeader& wire, Bytes block) {
  constexpr std::size_t at = offsetof(WireHeader, header_crc);
  constexpr std::array<std::byte, 4> zeros{};
  std::uint32_t crc = crc32(block.first(at));
  crc = crc32(zeros, crc);
  crc = crc32(block.subspan(at + 4, wire.header_size - at - 4), crc);
  if (crc != wire.header_crc) return fail(Errc::malformed, "GPT header checksum", crc);
  return {};
}

Result<> check_array(const Header& header, const Disk& disk) {
  if (header.entry_size < sizeof(WireEntry) || header.entry_size % sizeof(WireEntry) != 0 ||
      header.entry_size > 4096)
    return fail(Errc::malformed, "GPT entry size", header.entry_size);
  if (header.entry_count == 0 || header.entry_count > 1024)
    return fail(Errc::malformed, "GPT entry count", header.entry_count);
  if (header.entries_lba < 2 || header.entries_lba > disk.last_lba ||
      header.entries_blocks(disk) > disk.last_lba - header.entries_lba + 1)
    return fail(Errc::malformed, "GPT entries outside the disk", header.entries_lba);
  return {};
}

}  // namespace

std::uint32_t crc32(Bytes bytes, std::uint32_t so_far) {
  std::uint32_t crc = ~so_far;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    crc = (crc >> 4) ^ crc_table[crc & 15];
    crc = (crc >> 4) ^ crc_table[crc & 15];
  }
  return ~crc;
}

Result<> check(const Disk& disk) {
  if (!std::has_single_bit(disk.block_size) || disk.block_size < 512 || disk.block_size > 4096)
    return fail(Errc::unsupported, "block size", disk.block_size);
  if (disk.last_lba <= 1) return fail(Errc::unsupported, "disk too small", disk.last_lba);
  return {};
}

Result<Header> parse_header(Bytes block, std::uint64_t lba, const Disk& disk) {
  TRY(check(disk));
  if (block.size() < disk.block_size)
    return fail(Errc::truncated, "GPT header block", block.size());
  const auto wire = TRY(load<WireHeader>(block, 0, "GPT header"));
  if (std::string_view(wire.signature.data(), wire.signature.size()) != "EFI PART")
    return fail(Errc::malformed, "no GPT signature", lba);
  TRY(check_size_fields(wire, block));
  TRY(check_header_crc(wire, block));
  if (wire.my_lba != lba) return fail(Errc::malformed, "GPT header of another block", wire.my_lba);
  const Header header{.my_lba = wire.my_lba,
                      .alternate_lba = wire.alternate_lba,
                      .entries_lba = wire.entries_lba,
                      .entry_count = wire.entry_count,
                      .entry_size = wire.entry_size,
                      .entries_crc = wire.entries_crc,
                      .disk = wire.disk};
  TRY(check_array(header, disk));
  return header;
}

Candidates header_candidates(Bytes lba1, const Disk& disk) {
  Candidates candidates;
  const auto add = [&](std::uint64_t lba) {
    if (lba == 0 || lba > disk.last_lba) return;
    for (std::size_t i = 0; i < candidates.count; ++i)
      if (candidates.lba[i] == lba) return;
    candidates.lba[candidates.count++] = lba;
  };
  add(1);
  const auto wire = load<WireHeader>(lba1, 0, "GPT header");
  if (wire.has_value()) add(wire->alternate_lba);
  add(disk.last_lba);
  return candidates;
}

Result<Entries> Entries::parse(const Header& header, Bytes bytes) {
  const Bytes array = TRY(slice(bytes, 0, header.entries_size(), "GPT entries past the end"));
  if (crc32(array) != header.entries_crc)
    return fail(Errc::malformed, "GPT entries checksum", header.entries_lba);
  Entries entries;
  entries.bytes_ = array;
  entries.count_ = header.entry_count;
  entries.size_ = header.entry_size;
  return entries;
}

std::optional<Partition> Entries::entry(std::uint32_t index) const {
  if (index >= count_) return std::nullopt;
  const auto wire = load<WireEntry>(bytes_, std::uint64_t{index} * size_, "GPT entry");
  if (!wire.has_value() || wire->type.is_zero() || wire->last_lba < wire->first_lba)
    return std::nullopt;
  return Partition{.number = index + 1,
                   .type = wire->type,
                   .guid = wire->guid,
                   .first_lba = wire->first_lba,
                   .last_lba = wire->last_lba,
                   .attributes = wire->attributes};
}

std::optional<Partition> Entries::find_by_type(const Guid& type) const {
  for (std::uint32_t i = 0; i < count_; ++i) {
    const auto found = entry(i);
    if (found && found->type == type) return found;
  }
  return std::nullopt;
}

}  // namespace keelson::gpt
