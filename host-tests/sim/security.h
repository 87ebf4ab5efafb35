// SPDX-License-Identifier: MIT
//
// Owns what decides whether LoadImage takes an image: the firmware's own verification behind the
// two security architectural protocols, by the trust of db, and a shim in front of it, by db and
// MOK. A shim before 16 only offers its verdict (the lock), shim 16 answers for LoadImage.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "efi/firmware/uefi.h"

namespace keelson::sim {

class Firmware;
class Handles;

enum class ShimVersion : std::uint8_t { none, before_16, since_16 };

class Security {
 public:
  explicit Security(Firmware& firmware);
  Security(const Security&) = delete;
  Security& operator=(const Security&) = delete;

  // ---- Trust, by what Secure Boot hashes ----
  void trust(Bytes file);      // a key in db
  void trust_mok(Bytes file);  // a key of the machine's owner, which only shim knows
  bool db_trusts(Bytes file) const;
  bool shim_trusts(Bytes file) const;
  // What the firmware answers for others under Secure Boot: with security_violation the image stays
  // loaded, but cannot be started.
  void set_refusal(efi::Status refusal) { refusal_ = refusal; }
  efi::Status refusal() const { return refusal_; }

  // ---- Devices ----
  void install(Handles& handles);  // the protocols that this machine has
  struct Question {
    const EFI_DEVICE_PATH* path = nullptr;
    Bytes file;
    bool boot_policy = false;
    bool at_boot = false;  // the first program: shim's second stage, where there is a shim
    bool inner = false;    // the bytes lie in an image that was verified and is running
  };
  // What LoadImage does. An accepted image is in PCR 4, if the firmware or shim accepted it.
  efi::Status verify(const Question& question);
  // The functions of the protocols are the firmware's own.
  bool is_hooked() const;
  // Since power-on: how often shim was asked, how many LoadImage calls found the firmware hooked.
  int shim_questions() const { return shim_questions_; }
  int hooked_loads() const { return hooked_loads_; }
  void power_cycle();

 private:
  static EFI_STATUS EFIAPI authenticate_state(const efi::SecurityArchProtocol* self, UINT32 status,
                                              const EFI_DEVICE_PATH* path);
  static EFI_STATUS EFIAPI authenticate_file(const efi::Security2ArchProtocol* self,
                                             const EFI_DEVICE_PATH* path, void* buffer, UINTN size,
                                             BOOLEAN boot_policy);
  static efi::Status shim_verify(const void* buffer, UINT32 size);
  bool shim_accepts(const EFI_DEVICE_PATH* path, Bytes file, bool inner);

  Firmware& firmware_;
  std::set<std::vector<std::byte>> db_;
  std::set<std::vector<std::byte>> mok_;
  efi::Status refusal_ = efi::status::security_violation;
  efi::SecurityArchProtocol state_{};
  efi::Security2ArchProtocol file_{};
  efi::ShimLockProtocol lock_{};
  std::uint64_t image_loader_ = 0;  // shim 16's; nobody of ours calls it
  int shim_questions_ = 0;
  int hooked_loads_ = 0;
};

}  // namespace keelson::sim
