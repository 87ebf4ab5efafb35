// SPDX-License-Identifier: MIT
//
// Any bytes as a header block and its entries, with the checksums put right so that what lies
// behind them is reached: entries of an accepted header lie on the disk and start before they end.
#include "efi/format/gpt.h"

#include <vector>

#include "efi/base/wire.h"

namespace {

void put(std::vector<std::byte>& to, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) to[at + i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  if (size < 512) return 0;
  const Bytes input = std::as_bytes(std::span(data, size));
  const gpt::Disk disk{.block_size = 512, .last_lba = 1 << 20};
  (void)gpt::parse_header(input, 1, disk);
  (void)gpt::header_candidates(input, disk);

  std::vector<std::byte> block(input.begin(), input.begin() + 512);
  const Bytes entries = input.subspan(512);
  const std::uint32_t claimed = *load<Le<std::uint32_t>>(block, 12, "header size");
  const std::uint64_t array = std::uint64_t{*load<Le<std::uint32_t>>(block, 80, "count")} *
                              *load<Le<std::uint32_t>>(block, 84, "size");
  put(block, 88, gpt::crc32(entries.first(array < entries.size() ? array : entries.size())));
  put(block, 16, 0);
  put(block, 16, gpt::crc32(Bytes(block).first(claimed < 512 ? claimed : 512)));
  const auto header = gpt::parse_header(block, 1, disk);
  if (!header.has_value()) return 0;
  if (header->entries_lba + header->entries_blocks(disk) > disk.last_lba + 1) __builtin_trap();
  const auto parsed = gpt::Entries::parse(*header, entries);
  if (!parsed.has_value()) return 0;
  for (std::uint32_t i = 0; i < parsed->count(); ++i) {
    const auto entry = parsed->entry(i);
    if (!entry) continue;
    if (entry->number != i + 1 || entry->last_lba < entry->first_lba) __builtin_trap();
    if (!parsed->find_by_type(entry->type)) __builtin_trap();
  }
  return 0;
}
