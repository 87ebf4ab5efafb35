// SPDX-License-Identifier: MIT
//
// The hooks of security_hooks.h. They run inside LoadImage, so in our own program, and find their
// owner through entry.h: the protocols have no room for a context.
#include "efi/firmware/security_hooks.h"

#include "efi/firmware/cpu.h"
#include "efi/firmware/entry.h"
#include "efi/firmware/protocol.h"

namespace keelson::efi {
namespace {

// What shim says, by its own keys, those of the machine's owner and those of the firmware, and by
// its revocations. It also measures the file, as the firmware would.
bool shim_accepts(const ShimLockProtocol& lock, Bytes file) {
  if (file.empty() || file.size() > UINT32_MAX) return false;
  return cpu::call_native(lock.verify, file.data(), static_cast<std::uint32_t>(file.size())) ==
         status::success;
}

}  // namespace

Result<> SecurityHooks::install(const Question& question) {
  remove();
  const auto* const lock = locate<ShimLockProtocol>();
  auto* const state = locate<SecurityArchProtocol>();
  auto* const file = locate<Security2ArchProtocol>();
  if (lock == nullptr || state == nullptr || file == nullptr)
    return fail(Errc::not_found, "shim or the firmware's verification cannot be found");
  TRY(undo_.set([](void* context) { static_cast<SecurityHooks*>(context)->remove(); }, this));
  question_ = question;
  lock_ = lock;
  state_ = state;
  file_ = file;
  firmware_state_ = *state;
  firmware_file_ = *file;
  outer_ = exchange_security_hooks(this);
  state->file_authentication_state = state_hook;
  file->file_authentication = file_hook;
  return {};
}

void SecurityHooks::remove() {
  undo_.forget();
  if (file_ == nullptr) return;
  *state_ = firmware_state_;
  *file_ = firmware_file_;
  state_ = nullptr;
  file_ = nullptr;
  exchange_security_hooks(outer_);
}

// A question without file names the one that was given with the path.
bool SecurityHooks::accepts(const EFI_DEVICE_PATH* path, Bytes file) const {
  const bool is_ours = path == as_device_path(question_.device_path);
  if (file.empty() && is_ours) file = question_.source;
  if (!question_.is_verified) return shim_accepts(*lock_, file);
  return is_ours && !file.empty() && file.data() == question_.source.data() &&
         file.size() == question_.source.size();
}

EFI_STATUS EFIAPI SecurityHooks::state_hook(const SecurityArchProtocol* self, UINT32 authentication,
                                            const EFI_DEVICE_PATH* path) {
  const auto* const hooks = static_cast<const SecurityHooks*>(current_security_hooks());
  if (hooks == nullptr) return status::access_denied;
  if (hooks->accepts(path, {})) return status::success;
  return hooks->firmware_state_.file_authentication_state(self, authentication, path);
}

EFI_STATUS EFIAPI SecurityHooks::file_hook(const Security2ArchProtocol* self,
                                           const EFI_DEVICE_PATH* path, void* buffer, UINTN size,
                                           BOOLEAN boot_policy) {
  const auto* const hooks = static_cast<const SecurityHooks*>(current_security_hooks());
  if (hooks == nullptr) return status::access_denied;
  const Bytes file(static_cast<const std::byte*>(buffer), buffer == nullptr ? 0 : size);
  if (hooks->accepts(path, file)) return status::success;
  return hooks->firmware_file_.file_authentication(self, path, buffer, size, boot_policy);
}

}  // namespace keelson::efi
