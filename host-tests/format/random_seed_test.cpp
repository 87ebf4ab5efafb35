// SPDX-License-Identifier: MIT
//
// Seeds and the boot secret (efi/format/random_seed.h; stub.md 8.3, 8.4). The two vectors of the
// boot secret are systemd's; all others were computed with Python's hashlib and struct from the
// formulas of the reference, not with this code.
#include "efi/format/random_seed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "efi/base/digest.h"

namespace keelson {
namespace {

using Buffer = std::vector<std::byte>;

std::string hex(const Secret& secret) {
  return std::string(std::string_view(DigestText(secret.bytes())));
}
Buffer full_of(std::size_t size, int value) { return Buffer(size, static_cast<std::byte>(value)); }
Buffer counting(std::size_t size, int from) {
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>(from + static_cast<int>(i));
  return bytes;
}

const Buffer table = full_of(32, 0x11);
const Buffer firmware = full_of(32, 0x22);
const Buffer token = full_of(32, 0x33);
const Buffer file = full_of(32, 0x44);
const Buffer time_bytes = counting(16, 0x10);

struct MixRow {
  const char* name;
  SeedSources sources;
  std::string_view file, kernel;
};
const Buffer long_file = full_of(512, 0x44);
const Buffer longer_token = full_of(40, 0x33);
const Buffer file_of_64 = full_of(64, 0x44);

const MixRow mixes[] = {
    {"Everything",
     {.earlier_table = table,
      .firmware = firmware,
      .token = token,
      .file = long_file,
      .monotonic_count = 0x0102030405060708,
      .time = time_bytes},
     "4412c6633ea0d0789abf7ae0e5a5956f8be37e425b244963c5b171ce6ba01280",
     "d16d4ead70cd3dca595c158a4b6a8c3618a2c1bbd25cf5c930046e1ec8c0b554"},
    {"FirmwareAndFile",
     {.firmware = firmware, .file = file},
     "f4852affeba154b057ddcd597d589211475b8c40b48255a66c91781572e68523",
     "9c955e3128dcb2db9ca20ffc1aee13c683306368543cc01b8d437131d91f02a0"},
    {"DiskAlone",
     {.token = longer_token, .file = file_of_64, .monotonic_count = 7, .time = time_bytes},
     "9640a8373a678387ad5e4f3f86fc05c44bc92e52478108454acbff2e50ca8104",
     "f2e923803b6df723ad89e079211607ca98d2b7bc2fa5731c630bf0b944ed6ba8"},
    {"Nothing",
     {},
     "09c1eeaac96cc612ed26535ac873524541e3aeb4fd4bc23d9f29a8ab654e2720",
     "95239084574ce4e91bc74ea29b3c2e8d2a7e5784871840e65195d04103c79e79"},
};

TEST(RandomSeed, Vectors) {
  for (const MixRow& row : mixes) {
    const Seeds seeds = mix_seeds(row.sources);
    EXPECT_EQ(hex(seeds.file), row.file) << row.name;
    EXPECT_EQ(hex(seeds.kernel), row.kernel) << row.name;
  }
}

TEST(RandomSeed, EverySourceMatters) {
  const SeedSources all = mixes[0].sources;
  const auto of = [](const SeedSources& sources) { return hex(mix_seeds(sources).kernel); };
  const auto without = [&](auto member, auto value) {
    SeedSources sources = all;
    sources.*member = value;
    return of(sources);
  };
  const Buffer other = full_of(32, 0x55);
  const std::vector<std::string> seeds = {
      of(all),
      without(&SeedSources::earlier_table, Bytes(other)),
      without(&SeedSources::firmware, Bytes(other)),
      without(&SeedSources::token, Bytes(other)),
      without(&SeedSources::file, Bytes(other)),
      without(&SeedSources::monotonic_count, std::optional<std::uint64_t>(8)),
      without(&SeedSources::monotonic_count, std::optional<std::uint64_t>()),
      without(&SeedSources::time, Bytes(other)),
  };
  for (std::size_t i = 0; i < seeds.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) EXPECT_NE(seeds[i], seeds[k]) << i << " " << k;
}

struct CheckRow {
  const char* name;
  SeedSources sources;
  bool secure_boot;
  bool allowed;
};
const Buffer short_bytes = full_of(31, 0x66);
const CheckRow checks[] = {
    {"FirmwareIsEnough", {.firmware = firmware, .file = file}, false, true},
    {"FirmwareIsEnoughWithSecureBoot", {.firmware = firmware, .file = file}, true, true},
    {"EarlierTableIsEnough", {.earlier_table = table, .file = file}, true, true},
    {"ShortEarlierTableIsNot", {.earlier_table = short_bytes, .file = file}, false, false},
    {"DiskWithTokenAndCount", {.token = token, .file = file, .monotonic_count = 1}, false, true},
    {"DiskWithSecureBoot", {.token = token, .file = file, .monotonic_count = 1}, true, false},
    {"DiskWithoutToken", {.file = file, .monotonic_count = 1}, false, false},
    {"DiskWithShortToken",
     {.token = short_bytes, .file = file, .monotonic_count = 1},
     false,
     false},
    {"DiskWithoutCount", {.token = token, .file = file}, false, false},
    {"NoFile", {.earlier_table = table, .firmware = firmware, .token = token}, false, false},
    {"ShortFile", {.firmware = firmware, .file = short_bytes}, false, false},
};

TEST(RandomSeed, WhatIsCredited) {
  for (const CheckRow& row : checks) {
    const Result<> checked = check_seed_sources(row.sources, row.secure_boot);
    EXPECT_EQ(checked.has_value(), row.allowed) << row.name;
    if (!row.allowed) EXPECT_EQ(checked.error().code, Errc::denied) << row.name;
  }
}

TEST(BootSecret, MakeAndEvolve) {
  Buffer seed = full_of(32, 0xaa);
  EXPECT_EQ(hex(make_secret(seed)),
            "c2ba939965cafde54dee7ea02511f62658f8b44a49dabe91677c677c7bb9fbec");
  evolve_seed(seed);
  EXPECT_EQ(std::string_view(DigestText(seed)),
            "53c6642d36be08bac2afb2f25d0a0e9c2d6b33d6c2eef1f5d0f617b8ad8a7dda");
}

TEST(BootSecret, LongerSeedKeepsItsTail) {
  Buffer seed = counting(40, 0);
  EXPECT_EQ(hex(make_secret(seed)),
            "1a83d4e6235de57eb60e4495e53f92b82c2e767169670c51ba3b03fc3c707cab");
  evolve_seed(seed);
  EXPECT_EQ(std::string_view(DigestText(seed)),
            "8767821f46e80eba6eea0625e57dc08026367fe11fafff36bf3e39a1d4032cea"
            "2021222324252627");
  Buffer too_short = full_of(31, 1);
  evolve_seed(too_short);
  EXPECT_EQ(too_short, full_of(31, 1));
}

TEST(BootSecret, Derive) {
  struct Row {
    std::string_view id, expected;
  };
  constexpr Row rows[] = {
      {"test", "c1e3911862f40cd309043ccb7644a6424b5be1ce732ef9b3c1c31a3726b9cd3e"},
      {"linux", "47ee7c4b8290f33dcb6499b60485e39e11184d4ea494c6da98049b7a30c787f4"},
      {"", "318315c65eaab18bcf38a1468447bf62e3ce918959c5834fae7841808d91ff12"},
  };
  const Buffer variable = counting(32, 0);
  const Buffer mixin = counting(32, 0x20);
  for (const Row& row : rows)
    EXPECT_EQ(hex(derive_secret({.variable = variable, .mixin = mixin, .id = row.id})),
              row.expected)
        << row.id;
}

TEST(BootSecret, Id) {
  struct Row {
    std::string_view os_release, id, reason;
  };
  const std::string huge(64 * 1024 + 1, '\n');
  const Row rows[] = {
      {"IMAGE_ID=image\nID=debian\n", "image", "IMAGE_ID first"},
      {"ID=debian\n", "debian", "else ID"},
      {"ID=one\nID=two\n", "two", "the last one"},
      {"ID=\"quoted\"\n", "quoted", "quotes stripped"},
      {"NAME=x\n", "linux", "neither"},
      {"", "linux", "no .osrel"},
      {huge, "linux", "larger than any os-release"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(boot_secret_id(bytes_of(row.os_release)), row.id) << row.reason;
}

TEST(SecretBytes, AreWipedWhenTheyEndAndWhenTheyMove) {
  alignas(Secret) std::byte room[sizeof(Secret)];
  std::memset(room, 0xee, sizeof(room));
  auto* const secret = new (room) Secret();
  std::ranges::fill(secret->mutable_bytes(), std::byte{7});
  Secret moved = std::move(*secret);
  EXPECT_TRUE(std::ranges::all_of(room, [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_FALSE(moved.is_zero());
  *secret = std::move(moved);
  EXPECT_TRUE(moved.is_zero());
  EXPECT_FALSE(secret->is_zero());
  secret->~Secret();
  // The memory is ours, whatever lived there.
  EXPECT_TRUE(std::ranges::all_of(room, [](std::byte b) { return b == std::byte{0}; }));
  wipe({});
}

}  // namespace
}  // namespace keelson
