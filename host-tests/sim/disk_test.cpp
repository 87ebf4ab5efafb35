// SPDX-License-Identifier: MIT
//
// The simulated disk keeps to UEFI 2.10, 13.9, and its tables are what efi/format/gpt.h reads
// (disk.h).
#include "host-tests/sim/disk.h"

#include <gtest/gtest.h>

#include "efi/format/device_path.h"

namespace keelson::sim {
namespace {

namespace status = efi::status;

constexpr Guid esp_guid = "11111111-2222-3333-4444-555555555555"_guid;
constexpr Guid boot_guid = "66666666-7777-8888-9999-aaaaaaaaaaaa"_guid;

class DiskTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  std::vector<std::byte> read(std::uint64_t lba, std::uint64_t blocks) {
    std::vector<std::byte> bytes(blocks * GetParam());
    EFI_BLOCK_IO_PROTOCOL* const io = disk.protocol();
    EXPECT_EQ(io->ReadBlocks(io, io->Media->MediaId, lba, bytes.size(), bytes.data()),
              status::success);
    return bytes;
  }
  Calls calls;
  Disk disk{calls,
            {{.type = gpt::type_esp, .guid = esp_guid, .blocks = 10'000},
             {.type = gpt::type_xbootldr, .guid = boot_guid, .blocks = 20'000}},
            {.block_size = GetParam(), .blocks = 100'000}};
};

TEST_P(DiskTest, HasTwoValidTables) {
  const gpt::Disk shape{.block_size = GetParam(), .last_lba = disk.media().LastBlock};
  ASSERT_TRUE(gpt::check(shape).has_value());
  for (const std::uint64_t lba : {std::uint64_t{1}, disk.last_lba()}) {
    const auto header = gpt::parse_header(read(lba, 1), lba, shape);
    ASSERT_TRUE(header.has_value()) << header.error().what;
    const auto raw = read(header->entries_lba, header->entries_blocks(shape));
    const auto entries = gpt::Entries::parse(*header, raw);
    ASSERT_TRUE(entries.has_value()) << entries.error().what;
    const auto found = entries->find_by_type(gpt::type_xbootldr);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->guid, boot_guid);
    EXPECT_EQ(found->first_lba, disk.partition(1).first_lba);
    EXPECT_EQ(found->blocks(), 20'000u);
  }
}

TEST_P(DiskTest, HasPathsOfDiskAndPartitions) {
  for (std::size_t i = 0; i < disk.partition_count(); ++i) {
    const Bytes path = disk.partition_path(i);
    EXPECT_EQ(*device_path::starts_with(path, disk.path()), true);
    const auto drive = device_path::last_hard_drive(path);
    ASSERT_TRUE(drive.has_value() && drive->has_value());
    EXPECT_EQ((*drive)->drive.partition_guid(), disk.partition(i).guid);
    EXPECT_EQ((*drive)->drive.start, disk.partition(i).first_lba);
  }
}

TEST_P(DiskTest, RefusesReadsThatTheSpecificationForbids) {
  EFI_BLOCK_IO_PROTOCOL* const io = disk.protocol();
  const std::uint64_t block = GetParam();
  disk.media().IoAlign = 64;
  alignas(64) std::byte buffer[3 * 4096];
  struct Row {
    UINT32 media_id;
    std::uint64_t lba, size;
    void* to;
    efi::Status expected;
    const char* reason;
  };
  const UINT32 id = io->Media->MediaId;
  const Row rows[] = {
      {id, disk.last_lba(), block, buffer, status::success, "the last block"},
      {id, disk.last_lba(), 2 * block, buffer, status::invalid_parameter, "past the end"},
      {id, disk.last_lba() + 1, block, buffer, status::invalid_parameter, "behind the end"},
      {id, ~0ull, block, buffer, status::invalid_parameter, "far behind the end"},
      {id, 0, block - 1, buffer, EFI_BAD_BUFFER_SIZE, "not whole blocks"},
      {id, 0, 0, nullptr, status::success, "nothing"},
      {id, 0, block, nullptr, status::invalid_parameter, "no buffer"},
      {id, 0, block, buffer + 32, status::invalid_parameter, "not aligned"},
      {id + 1, 0, block, buffer, status::media_changed, "another medium"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(io->ReadBlocks(io, row.media_id, row.lba, row.size, row.to), row.expected)
        << row.reason;
  disk.media().MediaPresent = FALSE;
  EXPECT_EQ(io->ReadBlocks(io, id, 0, block, buffer), EFI_STATUS{EFI_NO_MEDIA});
}

TEST_P(DiskTest, CanBeSpoilt) {
  disk.fail_block(3, status::device_error);
  std::vector<std::byte> bytes(2 * GetParam());
  EFI_BLOCK_IO_PROTOCOL* const io = disk.protocol();
  EXPECT_EQ(io->ReadBlocks(io, io->Media->MediaId, 2, bytes.size(), bytes.data()),
            status::device_error);
  disk.block(1)[0] = std::byte{'X'};
  EXPECT_EQ(read(1, 1)[0], std::byte{'X'});
  disk.write_tables();
  EXPECT_EQ(read(1, 1)[0], std::byte{'E'});
  disk.wipe_tables();
  EXPECT_EQ(read(disk.last_lba(), 1)[0], std::byte{0});
}

TEST_P(DiskTest, ShowsPartitionsAsDisksOfTheirOwn) {
  EFI_BLOCK_IO_PROTOCOL* const io = disk.partition_protocol(0);
  EXPECT_NE(io->Media->LogicalPartition, FALSE);
  EXPECT_EQ(io->Media->LastBlock, 9'999u);
  disk.block(disk.partition(0).first_lba)[0] = std::byte{0xeb};
  std::vector<std::byte> bytes(GetParam());
  EXPECT_EQ(io->ReadBlocks(io, io->Media->MediaId, 0, bytes.size(), bytes.data()), status::success);
  EXPECT_EQ(bytes[0], std::byte{0xeb});
  EXPECT_EQ(io->ReadBlocks(io, io->Media->MediaId, 10'000, bytes.size(), bytes.data()),
            status::invalid_parameter)
      << "the next partition is not its";
}

INSTANTIATE_TEST_SUITE_P(BlockSizes, DiskTest, testing::Values(512, 4096),
                         [](const auto& info) { return std::to_string(info.param); });

}  // namespace
}  // namespace keelson::sim
