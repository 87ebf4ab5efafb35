// SPDX-License-Identifier: MIT
//
// Partitions of the disk that a program was started from (efi/firmware/partition.h): XBOOTLDR found
// by reading the GPT, whatever is wrong with it.
#include "efi/firmware/partition.h"

#include "efi/firmware/uefi.h"
#include "efi/format/device_path.h"
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

// ---- Discs ----

// A disc with blocks of 2 KiB and the image of a disk with smaller ones on it.
struct Disc {
  explicit Disc(sim::Calls& calls, std::uint32_t table_block_size)
      : image(calls,
              {{.type = gpt::type_xbootldr, .guid = other, .blocks = 64},
               {.type = gpt::type_esp, .guid = first_esp, .blocks = 64},
               {.type = gpt::type_esp, .guid = wanted, .blocks = 64}},
              {.block_size = table_block_size, .blocks = size / table_block_size}),
        disc(calls, {}, {.block_size = block_size, .blocks = size / block_size, .pci_device = 9}) {
    std::ranges::fill(disc.block(1), std::byte{0});
    disc.wipe_tables();
    const std::uint64_t table_blocks = 2 + 128 * 128 / table_block_size;
    for (std::uint64_t lba = 0; lba < table_blocks; ++lba) copy_block(lba);
  }
  void copy_block(std::uint64_t lba) {
    const std::uint64_t size_of_one = image.block(lba).size();
    const std::uint64_t at = lba * size_of_one;
    for (std::uint64_t i = 0; i < size_of_one; ++i)
      disc.block((at + i) / block_size)[(at + i) % block_size] = image.block(lba)[i];
  }
  std::uint64_t start_of(std::size_t partition) {
    return image.partition(partition).first_lba * image.media().BlockSize / block_size;
  }

  static constexpr std::uint32_t block_size = 2048;
  static constexpr std::uint64_t size = 64_MiB;
  static constexpr Guid other = "00000000-1111-4222-8333-444444444444"_guid;
  static constexpr Guid first_esp = "11111111-1111-4222-8333-444444444444"_guid;
  static constexpr Guid wanted = "22222222-1111-4222-8333-444444444444"_guid;
  sim::Disk image, disc;
};

// What partition_guid() says of the entry of the boot catalogue that begins at `start`.
std::string guid_of_entry(sim::Firmware& firmware, Disc& disc, std::uint64_t start) {
  std::vector<std::byte> path(256);
  Writer writer(path);
  const Bytes whole = disc.disc.path();
  writer.append(whole.first(whole.size() - device_path::end_size));
  device_path::append_cd_rom(writer, {.boot_entry = 1, .start = start, .size = 16});
  device_path::append_end(writer);
  std::string said;
  run_in(firmware, [&](Image&) {
    sim::Handles& handles = firmware.handles();
    auto* const disc_path = const_cast<std::byte*>(whole.data());
    const Handle at = handles.add(nullptr, protocol_guid::device_path, disc_path);
    handles.add(at, protocol_guid::block_io, disc.disc.protocol());
    const Handle entry = handles.add(nullptr, protocol_guid::device_path, path.data());
    const auto guid = partition_guid(entry);
    EXPECT_EQ(code_of(partition_guid(Bytes(path))), "not found")
        << "the path alone does not say it";
    said = guid.has_value() ? sim::guid_text(*guid) : std::string(name(guid.error().code));
    handles.uninstall(entry, protocol_guid::device_path, path.data());
    handles.uninstall(at, protocol_guid::block_io, disc.disc.protocol());
    handles.uninstall(at, protocol_guid::device_path, disc_path);
  });
  return said;
}

TEST(PartitionTest, OfADiscItIsTheEspWhereTheCatalogueSays) {
  for (const std::uint32_t block_size : {512u, 1024u, 2048u, 4096u}) {
    SCOPED_TRACE(block_size);
    sim::Firmware firmware;
    Disc disc(firmware.calls(), block_size);
    EXPECT_EQ(guid_of_entry(firmware, disc, disc.start_of(2)), sim::guid_text(Disc::wanted));
    EXPECT_EQ(guid_of_entry(firmware, disc, disc.start_of(1)), sim::guid_text(Disc::first_esp));
    EXPECT_EQ(guid_of_entry(firmware, disc, disc.start_of(0)), "not found") << "no ESP";
    EXPECT_EQ(guid_of_entry(firmware, disc, disc.start_of(2) + 1), "not found");
    EXPECT_EQ(guid_of_entry(firmware, disc, ~std::uint64_t{0}), "malformed");
    disc.disc.fail_block(0, status::device_error);
    disc.disc.fail_block(1, status::device_error);
    disc.disc.fail_block(2, status::device_error);
    EXPECT_EQ(guid_of_entry(firmware, disc, disc.start_of(2)), "not found") << "unreadable";
  }
}

}  // namespace
}  // namespace keelson::efi
