// SPDX-License-Identifier: MIT
//
// Owns reading GPT headers and entries (UEFI 2.10, section 5.3; checks of loader.md 1, "XBOOTLDR";
// security.md 5, I-GPT) from bytes that the caller has read. Disks are read by efi/firmware and
// written by nobody here.
#pragma once

#include <optional>

#include "efi/base/bytes.h"
#include "efi/base/guid.h"

namespace keelson::gpt {

inline constexpr Guid type_esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"_guid;
inline constexpr Guid type_xbootldr = "bc13c2ff-59e6-4262-a352-b275fd6f7172"_guid;

// CRC-32 as in zip and UEFI. `so_far` goes on with an earlier result.
std::uint32_t crc32(Bytes bytes, std::uint32_t so_far = 0);

// What is known of the medium before anything is read.
struct Disk {
  std::uint32_t block_size = 512;
  std::uint64_t last_lba = 0;
};
// Error: unsupported, unless the block size is a power of two of 512 to 4096 and last_lba > 1.
Result<> check(const Disk& disk);

struct Header {
  std::uint64_t my_lba = 0, alternate_lba = 0;
  std::uint64_t entries_lba = 0;
  std::uint32_t entry_count = 0;  // 1 to 1024
  std::uint32_t entry_size = 0;   // 128 to 4096, a multiple of 128
  std::uint32_t entries_crc = 0;
  Guid disk;

  std::uint64_t entries_size() const { return std::uint64_t{entry_count} * entry_size; }
  // Blocks to read from entries_lba; all of them lie on the disk.
  std::uint64_t entries_blocks(const Disk& disk) const {
    return (entries_size() + disk.block_size - 1) / disk.block_size;
  }
};

// The header in `block`, which was read from `lba`: everything is checked but the entries' CRC.
// Errors: truncated, malformed, unsupported.
Result<Header> parse_header(Bytes block, std::uint64_t lba, const Disk& disk);

// Where a header may lie, in the order in which they are tried: LBA 1, the alternate that it names
// (even if it is corrupt), the last block. `lba1` is block 1, or empty if it could not be read.
struct Candidates {
  std::array<std::uint64_t, 3> lba{};
  std::size_t count = 0;
};
Candidates header_candidates(Bytes lba1, const Disk& disk);

struct Partition {
  std::uint32_t number = 0;  // from 1
  Guid type, guid;
  std::uint64_t first_lba = 0, last_lba = 0;  // first <= last
  std::uint64_t attributes = 0;
  std::uint64_t blocks() const { return last_lba - first_lba + 1; }
};

class Entries {
 public:
  // `bytes` begin at entries_lba; more than entries_size may be given. Errors: truncated; malformed
  // if the CRC is wrong.
  static Result<Entries> parse(const Header& header, Bytes bytes);

  std::uint32_t count() const { return count_; }
  // nullopt if the entry is unused or ends before it starts.
  std::optional<Partition> entry(std::uint32_t index) const;
  // The first one of that type.
  std::optional<Partition> find_by_type(const Guid& type) const;

 private:
  Bytes bytes_;
  std::uint32_t count_ = 0, size_ = 0;
};

}  // namespace keelson::gpt
