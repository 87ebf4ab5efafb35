// SPDX-License-Identifier: MIT
//
// Verification of images (security.h).
#include "host-tests/sim/security.h"

#include "host-tests/sim/firmware.h"

namespace keelson::sim {
namespace {

namespace status = efi::status;

// By its hash; not if it is no image at all.
bool contains(const std::set<std::vector<std::byte>>& hashes, Bytes file) {
  const auto hash = image_hash(file);
  return hash && hashes.contains(*hash);
}

}  // namespace

Security::Security(Firmware& firmware) : firmware_(firmware) { power_cycle(); }

void Security::power_cycle() {
  state_.file_authentication_state = authenticate_state;
  file_.file_authentication = authenticate_file;
  lock_.verify = reinterpret_cast<void*>(shim_verify);
  shim_questions_ = 0;
  hooked_loads_ = 0;
}

bool Security::is_hooked() const {
  return state_.file_authentication_state != authenticate_state ||
         file_.file_authentication != authenticate_file;
}

void Security::trust(Bytes file) {
  if (const auto hash = image_hash(file)) db_.insert(*hash);
}
void Security::trust_mok(Bytes file) {
  if (const auto hash = image_hash(file)) mok_.insert(*hash);
}
bool Security::db_trusts(Bytes file) const { return contains(db_, file); }
bool Security::shim_trusts(Bytes file) const {
  return firmware_.options().shim != ShimVersion::none && (contains(mok_, file) || db_trusts(file));
}

void Security::install(Handles& handles) {
  namespace guid = efi::protocol_guid;
  handles.add(nullptr, guid::security_arch, &state_);
  handles.add(nullptr, guid::security2_arch, &file_);
  if (firmware_.options().shim == ShimVersion::none) return;
  const Handle handle = handles.add(nullptr, guid::shim_lock, &lock_);
  if (firmware_.options().shim == ShimVersion::since_16)
    handles.add(handle, guid::shim_image_loader, &image_loader_);
}

efi::Status Security::verify(const Question& question) {
  if (is_hooked()) ++hooked_loads_;
  // Shim itself loads its second stage, and since 16 it stands in front of LoadImage.
  const ShimVersion shim = firmware_.options().shim;
  if (shim == ShimVersion::since_16 || (shim != ShimVersion::none && question.at_boot)) {
    return shim_accepts(question.path, question.file, question.inner) ? status::success : refusal_;
  }
  return file_.file_authentication(&file_, question.path,
                                   const_cast<std::byte*>(question.file.data()),
                                   question.file.size(), question.boot_policy ? TRUE : FALSE);
}

bool Security::shim_accepts(const EFI_DEVICE_PATH* path, Bytes file, bool inner) {
  ++shim_questions_;
  if (firmware_.options().secure_boot && !inner && !shim_trusts(file)) return false;
  firmware_.measure_image(file, whole_path(path));
  return true;
}

// Not EFIAPI: shim's functions are called as its compiler made them.
efi::Status Security::shim_verify(const void* buffer, UINT32 size) {
  Firmware& firmware = Firmware::current();
  if (const auto failure = firmware.calls().enter("ShimLock.Verify")) return *failure;
  const Bytes file(static_cast<const std::byte*>(buffer), size);
  return firmware.security().shim_accepts(nullptr, file, false) ? status::success
                                                                : status::security_violation;
}

// Of use for files in the firmware's own volume only; whoever else is asked about is refused.
EFI_STATUS EFIAPI Security::authenticate_state(const efi::SecurityArchProtocol*, UINT32,
                                               const EFI_DEVICE_PATH*) {
  return Firmware::current().options().secure_boot ? status::access_denied : status::success;
}

EFI_STATUS EFIAPI Security::authenticate_file(const efi::Security2ArchProtocol*,
                                              const EFI_DEVICE_PATH* path, void* buffer, UINTN size,
                                              BOOLEAN) {
  Firmware& firmware = Firmware::current();
  const Bytes file(static_cast<const std::byte*>(buffer), size);
  Security& self = firmware.security();
  if (firmware.options().secure_boot && !self.db_trusts(file)) return self.refusal_;
  firmware.measure_image(file, whole_path(path));
  return status::success;
}

}  // namespace keelson::sim
