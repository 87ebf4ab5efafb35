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
  run_in(firmware, [&](Image& self) { EXPECT_TRUE(is_secure_boot_on(self.variables())); });
}

TEST(ShimTest, IsWhatItInstalled) {
  struct Row {
    sim::ShimVersion version;
    bool lock, image_loader, needs_hooks, verifies;
  };
  const Row rows[] = {{sim::ShimVersion::none, false, false, false, false},
                      {sim::ShimVersion::before_16, true, false, true, true},
                      {sim::ShimVersion::since_16, true, true, false, true}};
  for (const Row& row : rows) {
    sim::Firmware firmware({.shim = row.version});
    run_in(firmware, [&](Image&) {
      const Shim shim = find_shim();
      EXPECT_EQ(shim.lock, row.lock);
      EXPECT_EQ(shim.image_loader, row.image_loader);
      EXPECT_EQ(shim.needs_hooks(), row.needs_hooks);
      EXPECT_EQ(shim.verifies(), row.verifies);
    });
  }
}

TEST(ShimTest, CannotBeAskedWithoutWhatToHook) {
  sim::Firmware firmware({.shim = sim::ShimVersion::before_16});
  run_in(firmware, [&](Image&) {
    for (const Guid& protocol : {protocol_guid::security_arch, protocol_guid::security2_arch}) {
      const Handle handle = firmware.handles().with_protocol(protocol).front();
      void* const interface = firmware.handles().find(handle, protocol);
      firmware.handles().uninstall(handle, protocol, interface);
      EXPECT_FALSE(find_shim().verifies());
      firmware.handles().add(nullptr, protocol, interface);
      EXPECT_TRUE(find_shim().verifies());
    }
  });
}

}  // namespace
}  // namespace keelson::efi
