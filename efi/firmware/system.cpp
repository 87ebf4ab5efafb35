// SPDX-License-Identifier: MIT
//
// The machine as a whole (system.h).
#include "efi/firmware/system.h"

#include "efi/firmware/protocol.h"

namespace keelson::efi {
namespace {

constexpr std::size_t longest_vendor = 256;
constexpr UINTN watchdog_seconds = 300;
// Codes up to 0xffff are the firmware's own.
constexpr UINT64 watchdog_code = 0x10000;

EFI_RESET_TYPE reset_type(Reset how) {
  switch (how) {
    case Reset::warm:
      return EfiResetWarm;
    case Reset::power_off:
      return EfiResetShutdown;
    case Reset::cold:
      break;
  }
  return EfiResetCold;
}

}  // namespace

FirmwareInfo firmware_info() {
  const EFI_SYSTEM_TABLE& table = system_table();
  std::size_t size = 0;
  if (table.FirmwareVendor != nullptr)
    while (size < longest_vendor && table.FirmwareVendor[size] != 0) ++size;
  return {.vendor = {table.FirmwareVendor, size},
          .revision = table.FirmwareRevision,
          .uefi_revision = table.Hdr.Revision};
}

const void* configuration_table(const Guid& guid) {
  const EFI_SYSTEM_TABLE& table = system_table();
  for (UINTN i = 0; i < table.NumberOfTableEntries; ++i) {
    const EFI_CONFIGURATION_TABLE& entry = table.ConfigurationTable[i];
    if (__builtin_memcmp(&entry.VendorGuid, &guid, sizeof(guid)) == 0) return entry.VendorTable;
  }
  return nullptr;
}

Result<> install_configuration_table(const Guid& guid, const void* table) {
  return check(boot_services().InstallConfigurationTable(as_efi(guid), const_cast<void*>(table)),
               table == nullptr ? "table cannot be taken away" : "table cannot be installed");
}

void rearm_watchdog() {
  boot_services().SetWatchdogTimer(watchdog_seconds, watchdog_code, 0, nullptr);
}

void reset_machine(Reset how) {
  runtime_services().ResetSystem(reset_type(how), EFI_SUCCESS, 0, nullptr);
}

}  // namespace keelson::efi
