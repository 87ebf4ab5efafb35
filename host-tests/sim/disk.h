// SPDX-License-Identifier: MIT
//
// Owns a disk as Block I/O shows it (UEFI 2.10, 13.9): a GPT with its partitions, the device paths
// of disk and partitions, and the ways in which a disk can be wrong. Only the tables lie in memory;
// all other blocks are zeros. The file systems on the partitions are volume.h's.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "efi/firmware/uefi.h"
#include "efi/format/gpt.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

struct PartitionPlan {
  Guid type;
  Guid guid;
  std::uint64_t blocks = 0;
};

class Disk {
 public:
  struct Shape {
    std::uint32_t block_size = 512;
    std::uint64_t blocks = 4'194'304;
    std::uint32_t io_align = 0;
    std::uint32_t pci_device = 1;  // tells the paths of several disks apart
  };
  Disk(Calls& calls, std::vector<PartitionPlan> partitions, const Shape& shape);
  Disk(Calls& calls, std::vector<PartitionPlan> partitions)
      : Disk(calls, std::move(partitions), Shape()) {}
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  EFI_BLOCK_IO_PROTOCOL* protocol();
  // Of the n-th partition, as the firmware's partition driver makes it.
  EFI_BLOCK_IO_PROTOCOL* partition_protocol(std::size_t n);
  std::size_t partition_count() const { return partitions_.size(); }
  const gpt::Partition& partition(std::size_t n) const { return partitions_[n]; }

  // Device paths with their end nodes; they live as long as the disk.
  Bytes path() const { return path_; }
  Bytes partition_path(std::size_t n) const { return partition_paths_[n]; }

  // The bytes of one block, to be spoiled. What is written here stays.
  MutableBytes block(std::uint64_t lba);
  // Both copies of header and entries as they should be.
  void write_tables();
  // Takes both headers away: a disk without GPT.
  void wipe_tables();
  std::uint64_t last_lba() const { return shape_.blocks - 1; }

  EFI_BLOCK_IO_MEDIA& media();
  // Reads that touch the block fail.
  void fail_block(std::uint64_t lba, efi::Status status) { bad_blocks_[lba] = status; }

 private:
  struct BlockIo;
  efi::Status read(const BlockIo& io, std::uint32_t media_id, std::uint64_t lba, std::uint64_t size,
                   void* buffer);
  void write_header(std::uint64_t lba, std::uint64_t alternate, std::uint64_t entries_lba,
                    Bytes entries);
  void make_paths();

  Calls& calls_;
  Shape shape_;
  std::vector<gpt::Partition> partitions_;
  std::unique_ptr<BlockIo> whole_;
  std::vector<std::unique_ptr<BlockIo>> parts_;
  std::vector<std::byte> path_;
  std::vector<std::vector<std::byte>> partition_paths_;
  std::map<std::uint64_t, std::vector<std::byte>> blocks_;
  std::map<std::uint64_t, efi::Status> bad_blocks_;
};

}  // namespace keelson::sim
