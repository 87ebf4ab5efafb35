// SPDX-License-Identifier: MIT
//
// The Secure Boot state by rule R7 (efi/firmware/secure_boot.h): whatever is not clearly off, is
// on.
#include "efi/firmware/secure_boot.h"

#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

constexpr std::uint32_t expected_attributes = 6;

TEST(SecureBootTest, IsOnUnlessItIsClearlyOff) {
  struct Row {
    std::optional<std::vector<unsigned char>> value;
    std::uint32_t attributes;
    bool enabled;
    const char* reason;
  };
  const Row rows[] = {
      {std::vector<unsigned char>{0}, expected_attributes, false, "off"},
      {std::vector<unsigned char>{1}, expected_attributes, true, "on"},
      {std::vector<unsigned char>{2}, expected_attributes, true, "an unknown value"},
      {std::nullopt, 0, false, "no such variable: a firmware without Secure Boot"},
      {std::vector<unsigned char>{}, expected_attributes, true, "empty"},
      {std::vector<unsigned char>{0, 0}, expected_attributes, true, "two bytes"},
      {std::vector<unsigned char>{0}, 7, true, "non-volatile: somebody made it"},
      {std::vector<unsigned char>{0}, 2, true, "not for the running system"},
  };
  for (const Row& row : rows) {
    sim::Firmware firmware;
    run_in(firmware, [&](Image& self) {
      firmware.variables().remove(loader_interface::secure_boot);
      if (row.value)
        firmware.variables().set(loader_interface::secure_boot,
                                 std::as_bytes(std::span(*row.value)), row.attributes);
      EXPECT_EQ(is_secure_boot_on(self.variables()), row.enabled) << row.reason;
    });
  }
}

TEST(SecureBootTest, IsOnWhenItCannotBeRead) {
  sim::Firmware firmware;
  firmware.calls().fail_every("GetVariable", status::device_error);
  run_in(firmware, [&](Image& self) {
    EXPECT_TRUE(is_secure_boot_on(self.variables()));
  });
}

TEST(ShimTest, IsWhatItInstalled) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    int anything = 0;
    Shim shim = find_shim();
    EXPECT_FALSE(shim.lock || shim.image_loader);
    const Handle handle = firmware.handles().add(nullptr, protocol_guid::shim_lock, &anything);
    shim = find_shim();
    EXPECT_TRUE(shim.lock && !shim.image_loader) << "before shim 16";
    firmware.handles().add(handle, protocol_guid::shim_image_loader, &anything);
    shim = find_shim();
    EXPECT_TRUE(shim.lock && shim.image_loader);
    for (const Guid& protocol : {protocol_guid::shim_lock, protocol_guid::shim_image_loader})
      firmware.handles().uninstall(handle, protocol, &anything);
  });
}

}  // namespace
}  // namespace keelson::efi
