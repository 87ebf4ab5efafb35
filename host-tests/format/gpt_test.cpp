// SPDX-License-Identifier: MIT
//
// GPT headers and entries: the checks of loader.md 1 and the bad inputs of I-GPT
// (efi/format/gpt.h).
#include "efi/format/gpt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "efi/base/wire.h"

namespace keelson {
namespace {

using Buffer = std::vector<std::byte>;

constexpr Guid partition_guid = "11111111-2222-3333-4444-555555555555"_guid;

template <class T>
void put(Buffer& to, std::size_t at, T value) {
  const Le<T> wire(value);
  std::ranges::copy(bytes_of_struct(wire), to.begin() + static_cast<std::ptrdiff_t>(at));
}

struct Entry {
  Guid type = gpt::type_esp;
  std::uint64_t first = 2048, last = 4095;
};

// A header block and its entries, checksums right unless they are spoilt afterwards.
struct Sample {
  gpt::Disk disk{.block_size = 512, .last_lba = 99999};
  std::uint64_t lba = 1, my_lba = 1, alternate = 99999, entries_lba = 2;
  std::uint32_t header_size = 92, revision = 0x10000, count = 128, entry_size = 128;
  std::vector<Entry> used = {Entry{}};

  Buffer entries() const {
    Buffer bytes(std::min<std::size_t>(std::size_t{count} * entry_size, 1u << 20));
    for (std::size_t i = 0; i < used.size() && i * entry_size + 128 <= bytes.size(); ++i) {
      const std::size_t at = i * entry_size;
      std::ranges::copy(std::as_bytes(std::span(used[i].type.bytes)),
                        bytes.begin() + static_cast<std::ptrdiff_t>(at));
      std::ranges::copy(std::as_bytes(std::span(partition_guid.bytes)),
                        bytes.begin() + static_cast<std::ptrdiff_t>(at + 16));
      put(bytes, at + 32, used[i].first);
      put(bytes, at + 40, used[i].last);
    }
    return bytes;
  }
  Buffer block() const {
    Buffer bytes(disk.block_size);
    std::ranges::copy(bytes_of(std::string_view("EFI PART")), bytes.begin());
    put(bytes, 8, revision);
    put(bytes, 12, header_size);
    put(bytes, 24, my_lba);
    put(bytes, 32, alternate);
    put(bytes, 72, entries_lba);
    put(bytes, 80, count);
    put(bytes, 84, entry_size);
    put(bytes, 88, gpt::crc32(entries()));
    put(bytes, 16, gpt::crc32(Bytes(bytes).first(std::min<std::size_t>(header_size, 512))));
    return bytes;
  }
};

TEST(Gpt, Crc32) {
  EXPECT_EQ(gpt::crc32({}), 0u);
  EXPECT_EQ(gpt::crc32(bytes_of(std::string_view("123456789"))), 0xCBF43926u) << "check value";
  EXPECT_EQ(gpt::crc32(bytes_of(std::string_view("56789")),
                       gpt::crc32(bytes_of(std::string_view("1234")))),
            0xCBF43926u)
      << "in two pieces";
}

TEST(Gpt, Headers) {
  struct Row {
    std::function<void(Sample&)> change;
    bool good;
    std::string_view reason;
  };
  const Row rows[] = {
      {[](auto&) {}, true, "the sample itself"},
      {[](auto& s) { s.header_size = 512; }, true, "largest header"},
      {[](auto& s) { s.header_size = 91; }, false, "header too small"},
      {[](auto& s) { s.header_size = 513; }, false, "header too large"},
      {[](auto& s) { s.header_size = UINT32_MAX; }, false, "header far too large"},
      {[](auto& s) { s.revision = 0x20000; }, false, "revision"},
      {[](auto& s) { s.my_lba = 2; }, false, "MyLBA wrong"},
      {[](auto& s) { s.lba = s.my_lba = 99999; }, true, "backup header"},
      {[](auto& s) { s.entry_size = 0; }, false, "entry size 0"},
      {[](auto& s) { s.entry_size = 64; }, false, "entry size 64"},
      {[](auto& s) { s.entry_size = 192; }, false, "entry size 192"},
      {[](auto& s) { s.entry_size = 256; }, true, "entry size 256"},
      {[](auto& s) { s.entry_size = 1u << 31; }, false, "entry size huge"},
      {[](auto& s) { s.count = 0; }, false, "no entries"},
      {[](auto& s) { s.count = 1; }, true, "one entry"},
      {[](auto& s) { s.count = 1024; }, true, "most entries"},
      {[](auto& s) { s.count = 1025; }, false, "too many"},
      {[](auto& s) { s.count = UINT32_MAX; }, false, "far too many"},
      {[](auto& s) { s.entries_lba = UINT64_MAX; }, false, "array LBA wraps"},
      {[](auto& s) { s.entries_lba = UINT64_MAX - 31; }, false, "array LBA wraps by its length"},
      {[](auto& s) { s.entries_lba = 1; }, false, "array over the header"},
      {[](auto& s) { s.entries_lba = 99999 - 31; }, true, "array at the very end"},
      {[](auto& s) { s.entries_lba = 99999 - 30; }, false, "array one block past the end"},
      {[](auto& s) { s.disk.block_size = 4096; }, true, "4 KiB blocks"},
      {[](auto& s) { s.disk.block_size = 8192; }, false, "blocks too large"},
      {[](auto& s) { s.disk.block_size = 520; }, false, "odd blocks"},
      {[](auto& s) { s.disk.last_lba = 1; }, false, "disk too small"},
  };
  for (const Row& row : rows) {
    Sample sample;
    row.change(sample);
    const auto header = gpt::parse_header(sample.block(), sample.lba, sample.disk);
    EXPECT_EQ(header.has_value(), row.good) << row.reason;
    if (header.has_value())
      EXPECT_TRUE(gpt::Entries::parse(*header, sample.entries()).has_value()) << row.reason;
  }
}

TEST(Gpt, EveryBitOfTheHeaderCounts) {
  const Sample sample;
  for (std::size_t bit = 0; bit < 92 * 8; ++bit) {
    Buffer block = sample.block();
    block[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_FALSE(gpt::parse_header(block, 1, sample.disk).has_value()) << bit;
  }
}

TEST(Gpt, EveryShorterBlockIsRefused) {
  const Sample sample;
  const Buffer block = sample.block();
  for (std::size_t size = 0; size < block.size(); ++size)
    EXPECT_FALSE(gpt::parse_header(Bytes(block).first(size), 1, sample.disk).has_value()) << size;
}

TEST(Gpt, EntriesAreCheckedByTheirCrc) {
  const Sample sample;
  const auto header = gpt::parse_header(sample.block(), 1, sample.disk);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->entries_blocks(sample.disk), 32u);
  Buffer entries = sample.entries();
  EXPECT_EQ(gpt::Entries::parse(*header, Bytes(entries).first(entries.size() - 1)).error().code,
            Errc::truncated);
  entries[5000] ^= std::byte{1};
  EXPECT_EQ(gpt::Entries::parse(*header, entries).error().code, Errc::malformed);
}

TEST(Gpt, Finding) {
  Sample sample;
  sample.used = {{.type = gpt::type_esp, .first = 2048, .last = 4095},
                 {.type = gpt::type_xbootldr, .first = 5000, .last = 4999},
                 {.type = gpt::type_xbootldr, .first = 6000, .last = 6000},
                 {.type = Guid{}, .first = 7000, .last = 8000},
                 {.type = gpt::type_xbootldr, .first = 9000, .last = 9999}};
  const auto header = gpt::parse_header(sample.block(), 1, sample.disk);
  ASSERT_TRUE(header.has_value());
  const Buffer bytes = sample.entries();
  const auto entries = gpt::Entries::parse(*header, bytes);
  ASSERT_TRUE(entries.has_value());
  const auto found = entries->find_by_type(gpt::type_xbootldr);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->number, 3u) << "the first that does not end before it starts";
  EXPECT_EQ(found->blocks(), 1u);
  EXPECT_EQ(found->guid, partition_guid);
  EXPECT_FALSE(entries->find_by_type(partition_guid).has_value());
  EXPECT_FALSE(entries->entry(128).has_value());
}

TEST(Gpt, HeaderCandidates) {
  struct Row {
    std::uint64_t alternate, last;
    std::vector<std::uint64_t> lba;
    std::string_view reason;
  };
  const Row rows[] = {
      {99999, 99999, {1, 99999}, "alternate is the last block"},
      {5000, 99999, {1, 5000, 99999}, "a disk that was enlarged"},
      {0, 99999, {1, 99999}, "alternate 0"},
      {UINT64_MAX, 99999, {1, 99999}, "alternate past the end"},
      {1, 99999, {1, 99999}, "alternate is the primary"},
  };
  for (const Row& row : rows) {
    Sample sample;
    sample.alternate = row.alternate;
    Buffer block = sample.block();
    block[16] ^= std::byte{1};  // also of a corrupt header
    const auto found = gpt::header_candidates(block, {.block_size = 512, .last_lba = row.last});
    EXPECT_EQ(std::vector(found.lba.begin(), found.lba.begin() + found.count), row.lba)
        << row.reason;
  }
  EXPECT_EQ(gpt::header_candidates({}, {.block_size = 512, .last_lba = 9}).count, 2u);
}

}  // namespace
}  // namespace keelson
