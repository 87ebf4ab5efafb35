// SPDX-License-Identifier: MIT
//
// Partitions of the disk that a program was started from (efi/firmware/partition.h): XBOOTLDR found
// by reading the GPT, whatever is wrong with it.
#include "efi/firmware/partition.h"

#include "efi/format/gpt.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

struct DiskRow {
  const char* name;
  sim::Options options;
  std::function<void(sim::Firmware&)> prepare;
  std::string_view expected;  // "" : XBOOTLDR was opened
};

void nothing(sim::Firmware&) {}
void spoil(sim::Firmware& firmware, std::uint64_t lba) {
  firmware.disk().block(lba)[60] ^= std::byte{1};
}

const DiskRow disks[] = {
    {"IsThere", {.xbootldr = true}, nothing, ""},
    {"IsNotThere", {}, nothing, "not found"},
    {"IsConnectedWhenTheFirmwareDidNot", {.xbootldr = true, .fast_boot = true}, nothing, ""},
    {"BackupTableIsUsed", {.xbootldr = true}, [](sim::Firmware& f) { spoil(f, 1); }, ""},
    {"BothTablesAreBad",
     {.xbootldr = true},
     [](sim::Firmware& f) {
       spoil(f, 1);
       spoil(f, f.disk().last_lba());
     },
     "malformed"},
    {"EntriesAreBad", {.xbootldr = true}, [](sim::Firmware& f) { spoil(f, 2); }, ""},
    {"NoTableAtAll",
     {.xbootldr = true},
     [](sim::Firmware& f) { f.disk().wipe_tables(); },
     "malformed"},
    {"FirstTableCannotBeRead",
     {.xbootldr = true},
     [](sim::Firmware& f) { f.disk().fail_block(1, status::device_error); },
     ""},
    {"NothingCanBeRead",
     {.xbootldr = true},
     [](sim::Firmware& f) {
       f.disk().fail_block(1, status::device_error);
       f.disk().fail_block(f.disk().last_lba(), status::device_error);
     },
     "firmware error"},
    {"NoMedium",
     {.xbootldr = true},
     [](sim::Firmware& f) { f.disk().media().MediaPresent = FALSE; },
     "unsupported"},
    {"StrangeBlocks",
     {.xbootldr = true},
     [](sim::Firmware& f) { f.disk().media().BlockSize = 520; },
     "unsupported"},
    {"HugeBlocks",
     {.xbootldr = true},
     [](sim::Firmware& f) { f.disk().media().BlockSize = 0x8000'0000; },
     "unsupported"},
    {"AlignedBuffersAreWanted",
     {.xbootldr = true},
     [](sim::Firmware& f) { f.disk().media().IoAlign = 8192; },
     ""},
    {"ImpossibleAlignment",
     {.xbootldr = true},
     [](sim::Firmware& f) { f.disk().media().IoAlign = 0xffff'ffff; },
     "unsupported"},
    {"VolumeCannotBeOpened",
     {.xbootldr = true},
     [](sim::Firmware& f) {
       f.xbootldr().fail(sim::Volume::Operation::open_volume, u"\\", status::device_error);
     },
     "firmware error"},
};

class XbootldrTest : public testing::TestWithParam<DiskRow> {};

TEST_P(XbootldrTest, IsFoundOrTheReasonWhyNot) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    sim::Options options = GetParam().options;
    options.seed = seed;
    sim::Firmware firmware(options);
    firmware.xbootldr().add(u"\\marker", "xbootldr");
    GetParam().prepare(firmware);
    run_in(firmware, [&](Image& self) {
      auto volume = open_xbootldr(self.device());
      ASSERT_EQ(code_of(volume), GetParam().expected);
      if (!volume.has_value()) return;
      EXPECT_EQ(volume->device(), firmware.xbootldr_handle());
      EXPECT_TRUE(volume->exists(u"\\marker"));
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Disks, XbootldrTest, testing::ValuesIn(disks),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(PartitionTest, IsNeverTheVolumeWeWereStartedFrom) {
  sim::Firmware firmware({.xbootldr = true});
  run_in(firmware, [&](Image&) {
    EXPECT_EQ(code_of(open_xbootldr(firmware.xbootldr_handle())), "not found");
  });
}

// The simulated disk has a second ESP where it has no XBOOTLDR partition.
TEST(PartitionTest, EspIsOurOwnVolumeOrTheFirstOnTheDisk) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image& self) {
    const auto own = open_esp(self.device());
    ASSERT_EQ(code_of(own), "");
    EXPECT_EQ(own->device(), firmware.esp_handle());
    EXPECT_EQ(code_of(open_esp(nullptr)), "not found");
    EXPECT_EQ(code_of(open_esp(firmware.disk_handle())), "not found");
  });
  sim::Firmware with_xbootldr({.xbootldr = true});
  run_in(with_xbootldr, [&](Image&) {
    const auto esp = open_esp(with_xbootldr.xbootldr_handle());
    ASSERT_EQ(code_of(esp), "");
    EXPECT_EQ(esp->device(), with_xbootldr.esp_handle());
  });
  sim::Firmware without_table;
  without_table.disk().wipe_tables();
  run_in(without_table,
         [&](Image& self) { EXPECT_EQ(code_of(open_esp(self.device())), "malformed"); });
}

TEST(PartitionTest, KnowsItsGuid) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image& self) {
    const auto guid = partition_guid(self.device());
    ASSERT_TRUE(guid.has_value());
    EXPECT_EQ(*guid, sim::Firmware::esp_guid);
    EXPECT_EQ(code_of(partition_guid(firmware.disk_handle())), "not found");
    EXPECT_EQ(code_of(partition_guid(Handle(nullptr))), "not found");
    EXPECT_EQ(code_of(open_xbootldr(nullptr)), "not found");
    EXPECT_EQ(code_of(open_xbootldr(firmware.disk_handle())), "not found") << "not on a partition";
  });
}

}  // namespace
}  // namespace keelson::efi
