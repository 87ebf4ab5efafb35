// SPDX-License-Identifier: MIT
//
// Runtime services (UEFI 2.10, chapter 8).
#include "host-tests/sim/runtime_services.h"

#include "host-tests/sim/firmware.h"

namespace keelson::sim {
namespace {

Firmware& firmware() { return Firmware::current(); }

EFI_STATUS EFIAPI get_variable(CHAR16* name, EFI_GUID* vendor, UINT32* attributes, UINTN* size,
                               void* data) {
  return firmware().variables().get_variable(name, vendor, attributes, size, data);
}
EFI_STATUS EFIAPI set_variable(CHAR16* name, EFI_GUID* vendor, UINT32 attributes, UINTN size,
                               void* data) {
  return firmware().variables().set_variable(name, vendor, attributes, size, data);
}
EFI_STATUS EFIAPI get_next_variable_name(UINTN* size, CHAR16* name, EFI_GUID* vendor) {
  return firmware().variables().get_next_variable_name(size, name, vendor);
}
EFI_STATUS EFIAPI query_variable_info(UINT32 attributes, UINT64* storage, UINT64* remaining,
                                      UINT64* largest) {
  return firmware().variables().query_variable_info(attributes, storage, remaining, largest);
}

EFI_STATUS EFIAPI get_time(EFI_TIME* time, EFI_TIME_CAPABILITIES*) {
  return firmware().random().get_time(time);
}

EFI_STATUS EFIAPI reset_system(EFI_RESET_TYPE type, EFI_STATUS, UINTN, CHAR16*) {
  firmware().calls().note("ResetSystem");
  if (firmware().resets())
    firmware().end_run(type == EfiResetShutdown ? End::powered_off : End::reset);
  return efi::status::unsupported;
}

}  // namespace

RuntimeServices::RuntimeServices() {
  table.Hdr.Signature = EFI_RUNTIME_SERVICES_SIGNATURE;
  table.Hdr.HeaderSize = sizeof(table);
  table.GetVariable = get_variable;
  table.SetVariable = set_variable;
  table.GetNextVariableName = get_next_variable_name;
  table.QueryVariableInfo = query_variable_info;
  table.GetTime = get_time;
  table.ResetSystem = reset_system;
}

}  // namespace keelson::sim
