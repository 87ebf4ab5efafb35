// SPDX-License-Identifier: MIT
//
// Owns what a shim before version 16 leaves to loaders: LoadImage asks only the firmware, which
// knows nothing of shim's keys. While SecurityHooks lives, the firmware's two questions (the
// security architectural protocols) go to shim first, and to the firmware as before if shim says no
// (loader.md 10.2, stub.md 4). For .cpp files of this folder; it includes gnu-efi.
#pragma once

#include "efi/base/bytes.h"
#include "efi/firmware/uefi.h"
#include "efi/firmware/undo.h"

namespace keelson::efi {

class SecurityHooks {
 public:
  // An image that is about to be loaded.
  struct Question {
    Bytes device_path;
    Bytes source;  // empty: the firmware reads the file itself
    // These very bytes at this very path are part of an image that was verified (stub.md 7.3). They
    // are accepted; about everything else the firmware decides, and shim is not asked at all.
    bool is_verified = false;
  };

  SecurityHooks() = default;
  SecurityHooks(const SecurityHooks&) = delete;
  SecurityHooks& operator=(const SecurityHooks&) = delete;
  ~SecurityHooks() { remove(); }

  // In place until remove(). Errors: not_found, if shim or one of the protocols is not there after
  // all; out_of_memory (undo list).
  Result<> install(const Question& question);
  // The firmware's own functions are back, on every way out.
  void remove();

 private:
  bool accepts(const EFI_DEVICE_PATH* path, Bytes file) const;
  static EFI_STATUS EFIAPI state_hook(const SecurityArchProtocol* self, UINT32 authentication,
                                      const EFI_DEVICE_PATH* path);
  static EFI_STATUS EFIAPI file_hook(const Security2ArchProtocol* self, const EFI_DEVICE_PATH* path,
                                     void* buffer, UINTN size, BOOLEAN boot_policy);

  Question question_;
  const ShimLockProtocol* lock_ = nullptr;
  SecurityArchProtocol* state_ = nullptr;
  Security2ArchProtocol* file_ = nullptr;
  SecurityArchProtocol firmware_state_{};
  Security2ArchProtocol firmware_file_{};
  void* outer_ = nullptr;
  UndoRegistration undo_;
};

}  // namespace keelson::efi
