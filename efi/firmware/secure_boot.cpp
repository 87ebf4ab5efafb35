// SPDX-License-Identifier: MIT
//
// Secure Boot state and shim (secure_boot.h).
#include "efi/firmware/secure_boot.h"

namespace keelson::efi {
namespace {

constexpr std::uint32_t expected_attributes =
    loader_interface::boot_access | loader_interface::runtime_access;

bool is_one(const Variables& variables, const VariableId& id) {
  std::byte byte{};
  const auto value = variables.get(id, MutableBytes(&byte, 1));
  return value.has_value() && value->data.size() == 1 && byte == std::byte{1};
}

bool is_enabled(const Variables& variables) {
  std::byte byte{};
  const auto value = variables.get(loader_interface::secure_boot, MutableBytes(&byte, 1));
  if (!value.has_value()) return value.error().code != Errc::not_found;
  if (value->data.size() != 1 || value->attributes != expected_attributes) return true;
  return byte != std::byte{0};
}

}  // namespace

SecureBoot read_secure_boot(const Variables& variables) {
  constexpr VariableId audit_mode = {loader_interface::global_vendor, u"AuditMode"};
  constexpr VariableId deployed_mode = {loader_interface::global_vendor, u"DeployedMode"};
  return {.enabled = is_enabled(variables),
          .setup_mode = is_one(variables, loader_interface::setup_mode),
          .audit_mode = is_one(variables, audit_mode),
          .deployed_mode = is_one(variables, deployed_mode)};
}

Shim find_shim() {
  return {.lock = is_protocol_present(protocol_guid::shim_lock),
          .image_loader = is_protocol_present(protocol_guid::shim_image_loader),
          .security_arch = is_protocol_present(protocol_guid::security_arch) &&
                           is_protocol_present(protocol_guid::security2_arch)};
}

}  // namespace keelson::efi
