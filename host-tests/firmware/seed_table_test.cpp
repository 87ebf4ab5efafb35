// SPDX-License-Identifier: MIT
//
// The table with the random seed (efi/firmware/seed_table.h): whose memory it is, when it is wiped.
#include "efi/firmware/seed_table.h"

#include <cstring>

#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

constexpr Guid table_id = "1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b"_guid;
constexpr std::byte seed_bytes[] = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};

// A table as an earlier program leaves it, in pool memory.
std::byte* earlier_table(sim::Firmware& firmware, std::uint32_t claimed, std::size_t size) {
  auto* const table = static_cast<std::byte*>(firmware.memory().give_pool(4 + size));
  std::memcpy(table, &claimed, 4);
  std::memset(table + 4, 0xab, size);
  EXPECT_EQ(firmware.configuration().install(table_id, table), status::success);
  return table;
}

TEST(SeedTable, ThereMayBeNone) {
  sim::Firmware firmware;
  run_in(firmware, [](Image&) { EXPECT_TRUE(seed_table().empty()); });
}

TEST(SeedTable, IsInstalledAndTakenAwayWhenTheProgramEnds) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    ASSERT_TRUE(install_seed_table(seed_bytes).has_value());
    const auto* const table =
        static_cast<const std::byte*>(firmware.configuration().find(table_id));
    ASSERT_NE(table, nullptr);
    constexpr unsigned char expected[] = {4, 0, 0, 0, 1, 2, 3, 4};
    EXPECT_EQ(std::memcmp(table, expected, sizeof(expected)), 0);
    EXPECT_TRUE(std::ranges::equal(seed_table(), Bytes(seed_bytes)));
    // Linux reads it after the boot services have gone, and frees it.
    EXPECT_EQ(firmware.memory().kind_of(table), EfiACPIReclaimMemory);
    EXPECT_TRUE(firmware.memory().is_pool(table));
  });
  EXPECT_EQ(firmware.configuration().find(table_id), nullptr);
}

TEST(SeedTable, ReplacesAnEarlierOneWhichIsWipedAndFreed) {
  sim::Firmware firmware;
  firmware.run([&](Image&) -> Result<> {
    const std::byte* const old = earlier_table(firmware, 32, 32);
    EXPECT_EQ(seed_table().size(), 32u);
    firmware.memory().before_free([&](Bytes block) {
      if (block.data() != old) return;
      for (std::size_t i = 4; i < 36; ++i) EXPECT_EQ(block[i], std::byte{0}) << i;
    });
    const std::size_t frees = calls_of(firmware, "FreePool");
    EXPECT_TRUE(install_seed_table(seed_bytes).has_value());
    EXPECT_EQ(calls_of(firmware, "FreePool"), frees + 1);
    firmware.memory().before_free({});
    EXPECT_TRUE(std::ranges::equal(seed_table(), Bytes(seed_bytes)));
    return {};
  });
  EXPECT_TRUE(firmware.memory().problems().empty());
}

TEST(SeedTable, OfAnImpossibleSizeIsNone) {
  sim::Firmware firmware;
  firmware.run([&](Image&) -> Result<> {
    earlier_table(firmware, 0xffffffff, 8);
    EXPECT_TRUE(seed_table().empty());
    EXPECT_TRUE(install_seed_table(seed_bytes).has_value()) << "nothing of it is touched but freed";
    return {};
  });
  EXPECT_TRUE(firmware.memory().problems().empty());
}

TEST(SeedTable, OursIsLeftAloneIfSomebodyHasReplacedIt) {
  sim::Firmware firmware;
  firmware.run([&](Image&) -> Result<> {
    EXPECT_TRUE(install_seed_table(seed_bytes).has_value());
    void* const ours = firmware.configuration().find(table_id);
    earlier_table(firmware, 32, 32);  // as the kernel does before it gives up
    EXPECT_EQ(boot_services().FreePool(ours), EFI_SUCCESS);
    return {};
  });
  EXPECT_TRUE(firmware.memory().problems().empty()) << "nothing was freed twice";
  EXPECT_NE(firmware.configuration().find(table_id), nullptr);
}

struct FailureRow {
  const char* call;
  std::string_view expected;
};

TEST(SeedTable, FailuresLeaveTheEarlierOne) {
  constexpr FailureRow rows[] = {{"AllocatePool", "firmware error"},
                                 {"InstallConfigurationTable", "firmware error"}};
  for (const FailureRow& row : rows) {
    sim::Firmware firmware;
    firmware.run([&](Image&) -> Result<> {
      const void* const old = earlier_table(firmware, 32, 32);
      firmware.calls().fail_every(row.call, status::device_error);
      EXPECT_EQ(code_of(install_seed_table(seed_bytes)), row.expected) << row.call;
      EXPECT_EQ(firmware.configuration().find(table_id), old);
      EXPECT_EQ(seed_table().size(), 32u);
      return {};
    });
    EXPECT_TRUE(firmware.memory().problems().empty());
    EXPECT_EQ(firmware.memory().leaks().size(), 1u) << "only the earlier table is left";
  }
}

}  // namespace
}  // namespace keelson::efi
