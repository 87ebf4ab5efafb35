// SPDX-License-Identifier: MIT
//
// Partitions of the disk we were started from (partition.h).
#include "efi/firmware/partition.h"

#include <algorithm>
#include <bit>

#include "efi/firmware/protocol.h"
#include "efi/format/device_path.h"
#include "efi/format/gpt.h"

namespace keelson::efi {
namespace {

// Paths of disks are short; longer ones are not followed.
constexpr std::size_t longest_disk_path = 1024;
// No disk wants its buffers aligned to more.
constexpr std::uint32_t largest_alignment = 1u << 20;

// What was read of a disk.
class Blocks {
 public:
  Blocks(Pages pages, std::size_t skipped) : pages_(std::move(pages)), skipped_(skipped) {}
  Bytes bytes() const { return pages_.bytes().subspan(skipped_); }

 private:
  Pages pages_;
  std::size_t skipped_;  // of the medium's first block
};

// A disk as a whole, readable by the blocks in which its tables count: mostly those of the medium.
class Disk {
 public:
  static Result<Disk> open(Handle handle) {
    Disk disk;
    disk.io_ = TRY(Protocol<EFI_BLOCK_IO_PROTOCOL>::open(handle));
    const EFI_BLOCK_IO_MEDIA* const media = disk.io_->Media;
    if (media == nullptr || media->MediaPresent == FALSE || media->LogicalPartition != FALSE)
      return fail(Errc::unsupported, "not a whole disk, or no medium");
    if (media->IoAlign > largest_alignment)
      return fail(Errc::unsupported, "disk with an impossible alignment", media->IoAlign);
    disk.medium_ = {.block_size = media->BlockSize, .last_lba = media->LastBlock};
    TRY(gpt::check(disk.medium_));
    if (disk.medium_.last_lba >= UINT64_MAX / disk.medium_.block_size)
      return fail(Errc::unsupported, "disk of an impossible size", disk.medium_.last_lba);
    disk.shape_ = disk.medium_;
    return disk;
  }

  const gpt::Disk& shape() const { return shape_; }
  std::uint64_t size() const { return (medium_.last_lba + 1) * medium_.block_size; }
  std::uint32_t medium_block_size() const { return medium_.block_size; }

  // Images of disks are put on media with larger blocks, their tables as they are.
  Result<> count_in(std::uint32_t block_size) {
    const gpt::Disk shape{.block_size = block_size, .last_lba = size() / block_size - 1};
    TRY(gpt::check(shape));
    shape_ = shape;
    return {};
  }

  Result<Blocks> read(std::uint64_t lba, std::uint64_t blocks) {
    if (lba > shape_.last_lba || blocks > shape_.last_lba - lba + 1)
      return fail(Errc::malformed, "block past the end of the disk", lba);
    const std::uint64_t first = lba * shape_.block_size;
    const std::uint64_t begin = first / medium_.block_size * medium_.block_size;
    const std::uint64_t end = *align_up(first + blocks * shape_.block_size, medium_.block_size);
    const std::uint64_t align =
        std::max<std::uint64_t>(std::bit_ceil(io_->Media->IoAlign), page_size);
    Pages pages = TRY(Pages::allocate({.size = end - begin, .alignment = align}));
    std::uint64_t done = 0;
    while (done < pages.size()) {
      const std::uint64_t size = std::min<std::uint64_t>(pages.size() - done, read_chunk);
      TRY(check(io_->ReadBlocks(io_.get(), io_->Media->MediaId, (begin + done) / medium_.block_size,
                                size, pages.data() + done),
                "disk cannot be read"));
      done += size;
    }
    return Blocks(std::move(pages), static_cast<std::size_t>(first - begin));
  }

 private:
  Protocol<EFI_BLOCK_IO_PROTOCOL> io_;
  gpt::Disk medium_;
  gpt::Disk shape_;
};

// What is looked for: the first partition of a type, or one of that type with a certain GUID if
// there is one; or the one that begins at a certain block.
struct Wanted {
  Guid type;
  std::optional<Guid> rather = {};
  std::optional<std::uint64_t> first_lba = {};
};

std::optional<gpt::Partition> find_wanted(const gpt::Entries& entries, const Wanted& wanted) {
  if (wanted.first_lba) {
    for (std::uint32_t i = 0; i < entries.count(); ++i) {
      const auto entry = entries.entry(i);
      if (entry && entry->type == wanted.type && entry->first_lba == *wanted.first_lba)
        return entry;
    }
    return std::nullopt;
  }
  if (wanted.rather)
    for (std::uint32_t i = 0; i < entries.count(); ++i) {
      const auto entry = entries.entry(i);
      if (entry && entry->type == wanted.type && entry->guid == *wanted.rather) return entry;
    }
  return entries.find_by_type(wanted.type);
}

// In the table whose header lies at `lba`. The first valid table decides: not_found from it is
// final, other errors lead to the next candidate.
Result<gpt::Partition> find_in_table(Disk& disk, std::uint64_t lba, const Wanted& wanted) {
  const Blocks block = TRY(disk.read(lba, 1));
  const gpt::Header header = TRY(gpt::parse_header(block.bytes(), lba, disk.shape()));
  const Blocks raw = TRY(disk.read(header.entries_lba, header.entries_blocks(disk.shape())));
  const auto entries = TRY(gpt::Entries::parse(header, raw.bytes()));
  const auto found = find_wanted(entries, wanted);
  if (!found) return fail(Errc::not_found, "no partition of this type on the disk");
  return *found;
}

Result<gpt::Partition> find_partition(Disk& disk, const Wanted& wanted) {
  const auto lba1 = disk.read(1, 1);
  const gpt::Candidates candidates =
      gpt::header_candidates(lba1.has_value() ? lba1->bytes() : Bytes(), disk.shape());
  Error first{.code = Errc::not_found, .what = "no GPT"};
  for (std::size_t i = 0; i < candidates.count; ++i) {
    auto found = find_in_table(disk, candidates.lba[i], wanted);
    if (found.has_value() || found.error().code == Errc::not_found) return found;
    if (i == 0) first = found.error();
  }
  return fail(first);
}

// The volume on the disk at `disk_path` that lies on the partition `guid`. By GUID rather than by a
// path that we would build: firmware has its own ideas of the nodes in between.
Result<Volume> find_volume(Bytes disk_path, const Guid& guid) {
  const auto volumes = TRY(all_volumes());
  for (const Handle handle : volumes) {
    const auto path = device_path_of(handle);
    if (!path.has_value()) continue;
    const auto on_disk = device_path::starts_with(*path, disk_path);
    if (!on_disk.has_value() || !*on_disk) continue;
    const auto found = partition_guid(*path);
    if (found.has_value() && *found == guid) return Volume::open(handle);
  }
  return fail(Errc::not_found, "firmware shows no volume on the partition");
}

Result<Handle> find_disk(Bytes disk_path) {
  const Located located = TRY(locate_device_path(protocol_guid::block_io, disk_path));
  if (located.rest.size() != device_path::end_size)
    return fail(Errc::not_found, "the disk has no block device");
  return located.handle;
}

// Firmware shows the ESP of a disc as an entry of its El Torito catalogue, without GUID: the one in
// the GPT beside the catalogue begins at the same byte. Its blocks may be any size.
Result<Guid> guid_by_catalogue(Bytes device_path) {
  const auto found = TRY(device_path::last_cd_rom(device_path));
  if (!found) return fail(Errc::not_found, "not on a GPT partition");
  std::byte buffer[longest_disk_path];
  Writer writer(buffer);
  writer.append(device_path.first(found->node.offset));
  device_path::append_end(writer);
  Disk disk = TRY(Disk::open(TRY(find_disk(TRY(writer.done())))));
  if (found->partition.start >= disk.size() / disk.medium_block_size())
    return fail(Errc::malformed, "CD-ROM partition past the end", found->partition.start);
  const std::uint64_t start = found->partition.start * disk.medium_block_size();
  for (std::uint32_t block_size = 512; block_size <= 4096; block_size *= 2) {
    if (start % block_size != 0 || !disk.count_in(block_size).has_value()) continue;
    const auto partition =
        find_partition(disk, {.type = gpt::type_esp, .first_lba = start / block_size});
    if (partition.has_value()) return partition->guid;
  }
  return fail(Errc::not_found, "the disc has no GPT with this partition");
}

enum class IfOwn : bool { refuse, open };

// The volume on the first partition of `type` of the disk that `own_device` lies on.
Result<Volume> open_on_own_disk(Handle own_device, const Guid& type, IfOwn if_own) {
  const Bytes own_path = TRY(device_path_of(own_device));
  std::byte buffer[longest_disk_path];
  Writer writer(buffer);
  TRY(device_path::append_disk_of(writer, own_path));
  const Bytes disk_path = TRY(writer.done());
  const Handle disk_handle = TRY(find_disk(disk_path));
  Disk disk = TRY(Disk::open(disk_handle));
  const auto own = partition_guid(own_path);
  Wanted wanted{.type = type};
  if (own.has_value() && if_own == IfOwn::open) wanted.rather = *own;
  const gpt::Partition partition = TRY(find_partition(disk, wanted));
  if (own.has_value() && *own == partition.guid) {
    if (if_own == IfOwn::open) return Volume::open(own_device);
    return fail(Errc::not_found, "it is the volume we were started from");
  }
  auto volume = find_volume(disk_path, partition.guid);
  if (volume.has_value() || volume.error().code != Errc::not_found) return volume;
  // "Fast boot" connects only what the firmware needed itself.
  TRY(connect(disk_handle, Depth::with_children));
  return find_volume(disk_path, partition.guid);
}

}  // namespace

Result<Guid> partition_guid(Bytes device_path) {
  device_path::Walk walk(device_path);
  auto node = TRY(walk.next());
  while (node) {
    const auto drive = device_path::read_hard_drive(*node);
    if (drive.has_value() && drive->partition_guid()) return *drive->partition_guid();
    node = TRY(walk.next());
  }
  return fail(Errc::not_found, "not on a GPT partition");
}

Result<Guid> partition_guid(Handle device) {
  const Bytes path = TRY(device_path_of(device));
  const auto guid = partition_guid(path);
  if (guid.has_value() || guid.error().code != Errc::not_found) return guid;
  return guid_by_catalogue(path);
}

Result<Volume> open_xbootldr(Handle own_device) {
  return open_on_own_disk(own_device, gpt::type_xbootldr, IfOwn::refuse);
}

Result<Volume> open_esp(Handle own_device) {
  return open_on_own_disk(own_device, gpt::type_esp, IfOwn::open);
}

}  // namespace keelson::efi
