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

// A disk as a whole, readable by blocks.
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
    disk.shape_ = {.block_size = media->BlockSize, .last_lba = media->LastBlock};
    TRY(gpt::check(disk.shape_));
    return disk;
  }

  const gpt::Disk& shape() const { return shape_; }

  Result<Pages> read(std::uint64_t lba, std::uint64_t blocks) {
    const std::uint64_t align =
        std::max<std::uint64_t>(std::bit_ceil(io_->Media->IoAlign), page_size);
    Pages pages = TRY(Pages::allocate({.size = blocks * shape_.block_size, .alignment = align}));
    std::uint64_t done = 0;
    while (done < pages.size()) {
      const std::uint64_t size = std::min<std::uint64_t>(pages.size() - done, read_chunk);
      TRY(check(io_->ReadBlocks(io_.get(), io_->Media->MediaId, lba + done / shape_.block_size,
                                size, pages.data() + done),
                "disk cannot be read"));
      done += size;
    }
    return pages;
  }

 private:
  Protocol<EFI_BLOCK_IO_PROTOCOL> io_;
  gpt::Disk shape_;
};

// What is looked for: the first partition of a type, or one of that type with a certain GUID if
// there is one.
struct Wanted {
  Guid type;
  std::optional<Guid> rather;
};

std::optional<gpt::Partition> find_wanted(const gpt::Entries& entries, const Wanted& wanted) {
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
  const Pages block = TRY(disk.read(lba, 1));
  const gpt::Header header = TRY(gpt::parse_header(block.bytes(), lba, disk.shape()));
  const Pages raw = TRY(disk.read(header.entries_lba, header.entries_blocks(disk.shape())));
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

enum class IfOwn : bool { refuse, open };

// The volume on the first partition of `type` of the disk that `own_device` lies on.
Result<Volume> open_on_own_disk(Handle own_device, const Guid& type, IfOwn if_own) {
  const Bytes own_path = TRY(device_path_of(own_device));
  std::byte buffer[longest_disk_path];
  Writer writer(buffer);
  TRY(device_path::append_disk_of(writer, own_path));
  const Bytes disk_path = TRY(writer.done());
  const Located located = TRY(locate_device_path(protocol_guid::block_io, disk_path));
  if (located.rest.size() != device_path::end_size)
    return fail(Errc::not_found, "the disk has no block device");

  Disk disk = TRY(Disk::open(located.handle));
  const auto own = partition_guid(own_path);
  Wanted wanted{.type = type, .rather = {}};
  if (own.has_value() && if_own == IfOwn::open) wanted.rather = *own;
  const gpt::Partition partition = TRY(find_partition(disk, wanted));
  if (own.has_value() && *own == partition.guid) {
    if (if_own == IfOwn::open) return Volume::open(own_device);
    return fail(Errc::not_found, "it is the volume we were started from");
  }
  auto volume = find_volume(disk_path, partition.guid);
  if (volume.has_value() || volume.error().code != Errc::not_found) return volume;
  // "Fast boot" connects only what the firmware needed itself.
  TRY(connect(located.handle, Depth::with_children));
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

Result<Guid> partition_guid(Handle device) { return partition_guid(TRY(device_path_of(device))); }

Result<Volume> open_xbootldr(Handle own_device) {
  return open_on_own_disk(own_device, gpt::type_xbootldr, IfOwn::refuse);
}

Result<Volume> open_esp(Handle own_device) {
  return open_on_own_disk(own_device, gpt::type_esp, IfOwn::open);
}

}  // namespace keelson::efi
