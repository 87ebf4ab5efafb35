// SPDX-License-Identifier: MIT
//
// Blocks, tables and paths of a disk (disk.h).
#include "host-tests/sim/disk.h"

#include <algorithm>
#include <array>

#include "efi/format/device_path.h"

namespace keelson::sim {
namespace {

using efi::Status;
namespace status = efi::status;

constexpr std::uint32_t entry_count = 128;
constexpr std::uint32_t entry_size = 128;
constexpr std::uint32_t header_size = 92;
constexpr std::uint64_t first_usable_byte = 1_MiB;
constexpr UINT32 whole_media_id = 7;

struct WireHeader {
  std::array<char, 8> signature = {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'};
  Le<std::uint32_t> revision{0x10000}, size{header_size}, crc, reserved;
  Le<std::uint64_t> my_lba, alternate_lba, first_usable, last_usable;
  Guid disk = "0a0b0c0d-1111-2222-3333-444455556666"_guid;
  Le<std::uint64_t> entries_lba;
  Le<std::uint32_t> count{entry_count}, entry{entry_size}, entries_crc;
};
static_assert(sizeof(WireHeader) == header_size);

struct WireEntry {
  Guid type, guid;
  Le<std::uint64_t> first_lba, last_lba, attributes;
  std::array<unsigned char, 72> name{};
};
static_assert(sizeof(WireEntry) == entry_size);

struct PciNode {
  std::array<unsigned char, 4> header = {1, 1, 6, 0};
  unsigned char function = 0, device = 0;
};
struct AcpiNode {
  std::array<unsigned char, 4> header = {2, 1, 12, 0};
  Le<std::uint32_t> hid{0x0a0341d0}, uid{0};  // PciRoot(0)
};

}  // namespace

struct Disk::BlockIo : EFI_BLOCK_IO_PROTOCOL {
  BlockIo(Disk& owner, UINT32 media_id, std::uint64_t start, std::uint64_t blocks, bool logical)
      : EFI_BLOCK_IO_PROTOCOL{}, disk(&owner), medium{}, first_lba(start) {
    medium.MediaId = media_id;
    medium.MediaPresent = TRUE;
    medium.LogicalPartition = logical ? TRUE : FALSE;
    medium.BlockSize = owner.shape_.block_size;
    medium.IoAlign = owner.shape_.io_align;
    medium.LastBlock = blocks - 1;
    Revision = EFI_BLOCK_IO_PROTOCOL_REVISION;
    Media = &medium;
    Reset = [](EFI_BLOCK_IO_PROTOCOL*, BOOLEAN) EFIAPI -> EFI_STATUS { return EFI_SUCCESS; };
    ReadBlocks = [](EFI_BLOCK_IO_PROTOCOL* self, UINT32 media_id, EFI_LBA lba, UINTN size,
                    void* buffer) EFIAPI -> EFI_STATUS {
      const BlockIo& io = *static_cast<BlockIo*>(self);
      return io.disk->read(io, media_id, lba, size, buffer);
    };
    // Firmware code writes no blocks: that would be the end of a file system.
    WriteBlocks = [](EFI_BLOCK_IO_PROTOCOL*, UINT32, EFI_LBA, UINTN, void*)
                      EFIAPI -> EFI_STATUS { return EFI_WRITE_PROTECTED; };
    FlushBlocks = [](EFI_BLOCK_IO_PROTOCOL*) EFIAPI -> EFI_STATUS { return EFI_SUCCESS; };
  }

  Disk* disk;
  EFI_BLOCK_IO_MEDIA medium;
  std::uint64_t first_lba;
};

Disk::Disk(Calls& calls, std::vector<PartitionPlan> partitions, const Shape& shape)
    : calls_(calls), shape_(shape) {
  whole_ = std::make_unique<BlockIo>(*this, whole_media_id, 0, shape_.blocks, false);
  std::uint64_t next = first_usable_byte / shape_.block_size;
  for (const PartitionPlan& plan : partitions) {
    partitions_.push_back({.number = static_cast<std::uint32_t>(partitions_.size() + 1),
                           .type = plan.type,
                           .guid = plan.guid,
                           .first_lba = next,
                           .last_lba = next + plan.blocks - 1});
    parts_.push_back(std::make_unique<BlockIo>(
        *this, static_cast<UINT32>(whole_media_id + partitions_.size()), next, plan.blocks, true));
    next += plan.blocks;
  }
  write_tables();
  make_paths();
}

Disk::~Disk() = default;

EFI_BLOCK_IO_PROTOCOL* Disk::protocol() { return whole_.get(); }
EFI_BLOCK_IO_PROTOCOL* Disk::partition_protocol(std::size_t n) { return parts_[n].get(); }
EFI_BLOCK_IO_MEDIA& Disk::media() { return whole_->medium; }

MutableBytes Disk::block(std::uint64_t lba) {
  std::vector<std::byte>& block = blocks_[lba];
  block.resize(shape_.block_size);
  return block;
}

// ---- Tables ----

void Disk::write_header(std::uint64_t lba, std::uint64_t alternate, std::uint64_t entries_lba,
                        Bytes entries) {
  WireHeader header;
  header.my_lba = lba;
  header.alternate_lba = alternate;
  header.first_usable = first_usable_byte / shape_.block_size;
  header.last_usable = last_lba() - entries.size() / shape_.block_size - 1;
  header.entries_lba = entries_lba;
  header.entries_crc = gpt::crc32(entries);
  header.crc = gpt::crc32(bytes_of_struct(header));
  std::ranges::fill(block(lba), std::byte{0});
  std::ranges::copy(bytes_of_struct(header), block(lba).begin());
  for (std::size_t at = 0; at < entries.size(); at += shape_.block_size)
    std::ranges::copy(entries.subspan(at, shape_.block_size),
                      block(entries_lba + at / shape_.block_size).begin());
}

void Disk::write_tables() {
  std::vector<std::byte> entries(std::size_t{entry_count} * entry_size);
  for (const gpt::Partition& partition : partitions_) {
    WireEntry entry;
    entry.type = partition.type;
    entry.guid = partition.guid;
    entry.first_lba = partition.first_lba;
    entry.last_lba = partition.last_lba;
    __builtin_memcpy(entries.data() + (partition.number - 1) * sizeof(entry), &entry,
                     sizeof(entry));
  }
  const std::uint64_t entries_blocks = entries.size() / shape_.block_size;
  write_header(1, last_lba(), 2, entries);
  write_header(last_lba(), 1, last_lba() - entries_blocks, entries);
}

void Disk::wipe_tables() {
  for (const std::uint64_t lba : {std::uint64_t{1}, last_lba()})
    std::ranges::fill(block(lba), std::byte{0});
}

void Disk::make_paths() {
  PciNode pci;
  pci.device = static_cast<unsigned char>(shape_.pci_device);
  std::byte buffer[256];
  const auto keep = [](const Writer& writer) {
    const auto bytes = writer.done();
    return bytes.has_value() ? std::vector<std::byte>(bytes->begin(), bytes->end())
                             : std::vector<std::byte>();
  };
  Writer whole(buffer);
  whole.append_struct(AcpiNode()).append_struct(pci);
  const std::vector<std::byte> beginning = keep(whole);
  device_path::append_end(whole);
  path_ = keep(whole);
  for (const gpt::Partition& partition : partitions_) {
    Writer writer(buffer);
    writer.append(beginning);
    device_path::append_hard_drive(writer, {.partition_number = partition.number,
                                            .start = partition.first_lba,
                                            .size = partition.blocks(),
                                            .signature = partition.guid,
                                            .format = 2,
                                            .signature_type = 2});
    device_path::append_end(writer);
    partition_paths_.push_back(keep(writer));
  }
}

// ---- Reading (UEFI 2.10, 13.9, ReadBlocks) ----

Status Disk::read(const BlockIo& io, std::uint32_t media_id, std::uint64_t lba, std::uint64_t size,
                  void* buffer) {
  if (const auto failure = calls_.enter("ReadBlocks")) return *failure;
  if (io.medium.MediaPresent == FALSE) return EFI_NO_MEDIA;
  if (media_id != io.medium.MediaId) return status::media_changed;
  if (size == 0) return status::success;
  if (size % shape_.block_size != 0) return EFI_BAD_BUFFER_SIZE;
  const std::uint64_t count = size / shape_.block_size;
  if (lba > io.medium.LastBlock || count > io.medium.LastBlock - lba + 1)
    return status::invalid_parameter;
  if (buffer == nullptr ||
      (io.medium.IoAlign > 1 && reinterpret_cast<std::uintptr_t>(buffer) % io.medium.IoAlign != 0))
    return status::invalid_parameter;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = io.first_lba + lba + i;
    if (const auto bad = bad_blocks_.find(at); bad != bad_blocks_.end()) return bad->second;
    auto* const to = static_cast<std::byte*>(buffer) + i * shape_.block_size;
    const auto stored = blocks_.find(at);
    if (stored != blocks_.end())
      __builtin_memcpy(to, stored->second.data(), shape_.block_size);
    else
      __builtin_memset(to, 0, shape_.block_size);
  }
  return status::success;
}

}  // namespace keelson::sim
