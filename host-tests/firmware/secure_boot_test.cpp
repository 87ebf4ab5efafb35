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
      EXPECT_EQ(read_secure_boot(self.variables()).enabled, row.enabled) << row.reason;
    });
  }
}

TEST(SecureBootTest, IsOnWhenItCannotBeRead) {
  sim::Firmware firmware;
  firmware.calls().fail_every("GetVariable", status::device_error);
  run_in(firmware, [&](Image& self) {
    const SecureBoot state = read_secure_boot(self.variables());
    EXPECT_TRUE(state.enabled);
    EXPECT_FALSE(state.setup_mode);
  });
}

TEST(SecureBootTest, TellsTheModes) {
  sim::Firmware firmware({.secure_boot = true});
  const std::byte one{1};
  run_in(firmware, [&](Image& self) {
    EXPECT_FALSE(read_secure_boot(self.variables()).audit_mode);
    firmware.variables().set({loader_interface::global_vendor, u"AuditMode"}, {&one, 1});
    firmware.variables().set(loader_interface::setup_mode, {&one, 1});
    const SecureBoot state = read_secure_boot(self.variables());
    EXPECT_TRUE(state.enabled && state.audit_mode && state.setup_mode);
    EXPECT_FALSE(state.deployed_mode);
  });
}

TEST(ShimTest, IsWhatItInstalled) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    int anything = 0;
    Shim shim = find_shim();
    EXPECT_FALSE(shim.lock || shim.image_loader || shim.security_arch);
    const Handle handle = firmware.handles().add(nullptr, protocol_guid::shim_lock, &anything);
    firmware.handles().add(handle, protocol_guid::security_arch, &anything);
    shim = find_shim();
    EXPECT_TRUE(shim.lock && !shim.image_loader && !shim.security_arch) << "one of two";
    firmware.handles().add(handle, protocol_guid::security2_arch, &anything);
    firmware.handles().add(handle, protocol_guid::shim_image_loader, &anything);
    shim = find_shim();
    EXPECT_TRUE(shim.lock && shim.image_loader && shim.security_arch);
    for (const Guid& protocol : {protocol_guid::shim_lock, protocol_guid::security_arch,
                                 protocol_guid::security2_arch, protocol_guid::shim_image_loader})
      firmware.handles().uninstall(handle, protocol, &anything);
  });
}

}  // namespace
}  // namespace keelson::efi
