// SPDX-License-Identifier: MIT
//
// Secure Boot state and shim (secure_boot.h).
#include "efi/firmware/secure_boot.h"

namespace keelson::efi {
namespace {

constexpr std::uint32_t expected_attributes =
    loader_interface::boot_access | loader_interface::runtime_access;

}  // namespace

bool is_secure_boot_on(const Variables& variables) {
  std::byte byte{};
  const auto value = variables.get(loader_interface::secure_boot, MutableBytes(&byte, 1));
  if (!value.has_value()) return value.error().code != Errc::not_found;
  if (value->data.size() != 1 || value->attributes != expected_attributes) return true;
  return byte != std::byte{0};
}

Shim find_shim() {
  Shim shim{.lock = is_protocol_present(protocol_guid::shim_lock),
            .image_loader = is_protocol_present(protocol_guid::shim_image_loader)};
  shim.security_arch = shim.lock && !shim.image_loader &&
                       is_protocol_present(protocol_guid::security_arch) &&
                       is_protocol_present(protocol_guid::security2_arch);
  return shim;
}

}  // namespace keelson::efi
