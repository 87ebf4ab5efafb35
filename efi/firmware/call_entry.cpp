// SPDX-License-Identifier: MIT
//
// The call of an image that was placed in memory. It runs under a handle of ours, so when it leaves
// through Exit (Linux does, when it cannot boot), the firmware would end us with it, without
// anything being restored. Therefore Exit is ours during the call, and leads back here. Alone in
// its file because the simulation cannot execute images and replaces it.
#include "efi/firmware/enter_image.h"
#include "efi/firmware/entry.h"
#include "efi/firmware/uefi.h"

namespace keelson::efi {
namespace {

// The call that is under way.
struct Call {
  Handle image = nullptr;
  EFI_EXIT firmware_exit = nullptr;
  void* resume = nullptr;
  // By the handover protocol:
  const std::byte* entry = nullptr;
  std::byte* boot_params = nullptr;
};

EFI_STATUS EFIAPI leave_call(EFI_HANDLE image, EFI_STATUS status, UINTN data_size, CHAR16* data) {
  auto* const call = static_cast<Call*>(current_call());
  if (image != call->image) return call->firmware_exit(image, status, data_size, data);
  if (data != nullptr) boot_services().FreePool(data);
  keelson_leave_image(call->resume, status);
}

// Whoever changes a service has to keep the table's checksum right (UEFI 2.10, 4.2).
void set_exit(EFI_EXIT exit) {
  EFI_BOOT_SERVICES& services = boot_services();
  services.Exit = exit;
  services.Hdr.CRC32 = 0;
  UINT32 checksum = 0;
  services.CalculateCrc32(&services, services.Hdr.HeaderSize, &checksum);
  services.Hdr.CRC32 = checksum;
}

Status enter(const std::byte* entry, Call& call) {
  UndoRegistration undo;
  const Result<> registered =
      undo.set([](void* context) { set_exit(static_cast<Call*>(context)->firmware_exit); }, &call);
  if (!registered.has_value()) return to_status(registered.error());
  void* const outer = exchange_current_call(&call);
  set_exit(leave_call);
  const Status status = keelson_enter_image(entry, call.image, &system_table(), &call.resume);
  set_exit(call.firmware_exit);
  exchange_current_call(outer);
  return status;
}

// Stands where the entry point of an image would.
EFI_STATUS EFIAPI hand_over(EFI_HANDLE image, EFI_SYSTEM_TABLE* table) {
  const auto* const call = static_cast<const Call*>(current_call());
  keelson_enter_handover(call->entry, image, table, call->boot_params);
  return EFI_LOAD_ERROR;
}

}  // namespace

Status call_entry(const std::byte* entry, Handle image) {
  Call call{.image = image, .firmware_exit = boot_services().Exit};
  return enter(entry, call);
}

void call_handover(const std::byte* entry, Handle image, std::byte* boot_params) {
  Call call{.image = image,
            .firmware_exit = boot_services().Exit,
            .entry = entry,
            .boot_params = boot_params};
  enter(reinterpret_cast<const std::byte*>(hand_over), call);
}

}  // namespace keelson::efi
