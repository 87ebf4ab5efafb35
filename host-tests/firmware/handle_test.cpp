// SPDX-License-Identifier: MIT
//
// Status codes, handle lists, device paths of handles (efi/firmware/handle.h).
#include "efi/firmware/handle.h"

#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

TEST(StatusTest, BecomesWhatPolicyDistinguishes) {
  struct Row {
    Status value;
    std::string_view expected;
    Status back;
  };
  const Row rows[] = {
      {status::success, "", 0},
      {EFI_WARN_UNKNOWN_GLYPH, "", 0},
      {status::not_found, "not found", status::not_found},
      {status::unsupported, "unsupported", status::unsupported},
      {status::out_of_resources, "out of memory", status::out_of_resources},
      {status::access_denied, "denied", status::access_denied},
      {status::write_protected, "denied", status::write_protected},
      {status::security_violation, "denied", status::security_violation},
      {status::device_error, "firmware error", status::device_error},
      {status::timeout, "firmware error", status::timeout},
  };
  for (const Row& row : rows) {
    const Result<> result = check(row.value, "what");
    EXPECT_EQ(code_of(result), row.expected) << row.value;
    if (!result.has_value()) EXPECT_EQ(to_status(result.error()), row.back) << row.value;
  }
  EXPECT_EQ(to_status({.code = Errc::truncated, .what = ""}), status::load_error);
  EXPECT_EQ(to_status({.code = Errc::malformed, .what = ""}), status::load_error);
  EXPECT_EQ(to_status({.code = Errc::firmware, .what = "", .where = 0}), status::aborted)
      << "an error never becomes success";
}

TEST(DevicePathTest, IsReadUpToItsEnd) {
  struct Row {
    std::vector<unsigned char> bytes;
    std::string_view expected;
    std::size_t size;
    const char* reason;
  };
  const Row rows[] = {
      {{0x7f, 0xff, 4, 0}, "", 4, "the end alone"},
      {{1, 1, 6, 0, 0, 0, 0x7f, 0xff, 4, 0, 9, 9}, "", 10, "a node and the end"},
      {{0x7f, 0x01, 4, 0, 1, 1, 4, 0, 0x7f, 0xff, 4, 0}, "", 12, "two instances"},
      {{1, 1, 3, 0, 0x7f, 0xff, 4, 0}, "malformed", 0, "a node under 4 bytes"},
      {{1, 1, 0, 0, 0x7f, 0xff, 4, 0}, "malformed", 0, "a node without size"},
  };
  for (const Row& row : rows) {
    const auto path = device_path_at(row.bytes.data());
    EXPECT_EQ(code_of(path), row.expected) << row.reason;
    if (path.has_value()) EXPECT_EQ(path->size(), row.size) << row.reason;
  }
  EXPECT_EQ(code_of(device_path_at(nullptr)), "not found");
  const std::vector<unsigned char> endless = [] {
    std::vector<unsigned char> bytes;
    while (bytes.size() < 70'000) bytes.insert(bytes.end(), {1, 1, 4, 0});
    return bytes;
  }();
  EXPECT_EQ(code_of(device_path_at(endless.data())), "malformed");
}

TEST(HandleListTest, OwnsTheFirmwaresList) {
  sim::Firmware firmware({.xbootldr = true});
  run_in(firmware, [&](Image&) {
    auto volumes = HandleList::with_protocol(protocol_guid::simple_file_system);
    ASSERT_TRUE(volumes.has_value());
    EXPECT_EQ(volumes->items().size(), 2u);
    const HandleList moved = std::move(*volumes);
    EXPECT_EQ(moved.items().size(), 2u);
    EXPECT_TRUE(volumes->empty());
    const auto none = HandleList::with_protocol(protocol_guid::shim_lock);
    ASSERT_TRUE(none.has_value());
    EXPECT_TRUE(none->empty());
    EXPECT_TRUE(is_protocol_present(protocol_guid::tcg2));
    EXPECT_FALSE(is_protocol_present(protocol_guid::rng));
    firmware.calls().fail_every("LocateHandleBuffer", status::out_of_resources);
    EXPECT_EQ(code_of(HandleList::with_protocol(protocol_guid::block_io)), "out of memory");
  });
}

TEST(LocateTest, FindsTheLongestBeginningOfAPath) {
  sim::Firmware firmware({.xbootldr = true});
  run_in(firmware, [&](Image&) {
    const auto path = device_path_of(firmware.xbootldr_handle());
    ASSERT_TRUE(path.has_value());
    const auto volume = locate_device_path(protocol_guid::simple_file_system, *path);
    ASSERT_TRUE(volume.has_value());
    EXPECT_EQ(volume->handle, firmware.xbootldr_handle());
    EXPECT_EQ(volume->rest.size(), 4u) << "the end node";
    const auto disk = locate_device_path(protocol_guid::block_io, firmware.disk().path());
    ASSERT_TRUE(disk.has_value());
    EXPECT_EQ(disk->handle, firmware.disk_handle());
    EXPECT_EQ(code_of(locate_device_path(protocol_guid::load_file2, *path)), "not found");
  });
}

}  // namespace
}  // namespace keelson::efi
