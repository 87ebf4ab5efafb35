// SPDX-License-Identifier: MIT
//
// Owns gnu-efi and its quirks: the only header that includes it, and only .cpp files of this folder
// (and the simulated firmware) include this one. Adds what gnu-efi 3.0.15 lacks, as ABI structs
// with size assertions (UEFI 2.10; PI 1.7; TCG EFI Protocol 1.00; UEFI CC measurement; shim).
// Everything else in this folder has headers without gnu-efi.
#pragma once

// The firmware's calling convention, also when a host program simulates the firmware.
#ifndef GNU_EFI_USE_MS_ABI
#define GNU_EFI_USE_MS_ABI
#endif

// efidef.h makes CHAR16 an unsigned short. Reading it first under another name leaves us free to
// make CHAR16 what UEFI texts are in this program, so that no text needs a cast.
#define CHAR16 KEELSON_GNU_EFI_CHAR16
#include <efibind.h>
#include <eficompiler.h>
#include <efidef.h>
#undef CHAR16
using CHAR16 = char16_t;
#include <efi.h>
#include <efipciio.h>

// Macros that get in the way of ordinary names.
#undef IN
#undef OUT
#undef OPTIONAL
#undef VOID
#undef BREAKPOINT
#undef POST_CODE

#include <cstddef>
#include <cstdint>

#include "efi/base/guid.h"
#include "efi/firmware/handle.h"

static_assert(sizeof(EFI_GUID) == sizeof(keelson::Guid));
static_assert(sizeof(EFI_STATUS) == sizeof(keelson::efi::Status));
static_assert(sizeof(EFI_TABLE_HEADER) == 24);
static_assert(sizeof(EFI_TIME) == 16);
static_assert(offsetof(EFI_FILE_INFO, FileName) == 80);
// gnu-efi ends the struct with char[1] and pads it; the name starts right behind BlockSize.
static_assert(offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel) == 36);

namespace keelson::efi {

// ---- LoadFile2 (UEFI 13.2): EFI_LOAD_FILE_PROTOCOL's layout under another GUID.
struct LoadFile2Protocol {
  EFI_STATUS(EFIAPI* load_file)(LoadFile2Protocol* self, EFI_DEVICE_PATH* file_path,
                                BOOLEAN boot_policy, UINTN* buffer_size, void* buffer);
};
static_assert(sizeof(LoadFile2Protocol) == 8);

// ---- TCG2 (TCG EFI Protocol Specification 1.00, section 6).
struct Tcg2Version {
  UINT8 major;
  UINT8 minor;
};
struct Tcg2Capability {
  UINT8 size;
  Tcg2Version structure_version;
  Tcg2Version protocol_version;
  UINT32 hash_algorithm_bitmap;
  UINT32 supported_event_logs;
  BOOLEAN tpm_present;
  UINT16 max_command_size;
  UINT16 max_response_size;
  UINT32 manufacturer_id;
  UINT32 number_of_pcr_banks;
  UINT32 active_pcr_banks;
};
static_assert(sizeof(Tcg2Capability) == 36 && offsetof(Tcg2Capability, tpm_present) == 16);

constexpr UINT32 tcg2_log_tcg_1_2 = 1;
constexpr UINT32 tcg2_log_tcg_2 = 2;

struct Tcg2Protocol {
  EFI_STATUS(EFIAPI* get_capability)(Tcg2Protocol* self, Tcg2Capability* capability);
  EFI_STATUS(EFIAPI* get_event_log)(Tcg2Protocol* self, UINT32 format,
                                    EFI_PHYSICAL_ADDRESS* location,
                                    EFI_PHYSICAL_ADDRESS* last_entry, BOOLEAN* truncated);
  // `event` is an EFI_TCG2_EVENT: packed, so passed as bytes.
  EFI_STATUS(EFIAPI* hash_log_extend_event)(Tcg2Protocol* self, UINT64 flags,
                                            EFI_PHYSICAL_ADDRESS data, UINT64 data_size,
                                            void* event);
  EFI_STATUS(EFIAPI* submit_command)(Tcg2Protocol* self, UINT32 input_size, UINT8* input,
                                     UINT32 output_size, UINT8* output);
  EFI_STATUS(EFIAPI* get_active_pcr_banks)(Tcg2Protocol* self, UINT32* banks);
  EFI_STATUS(EFIAPI* set_active_pcr_banks)(Tcg2Protocol* self, UINT32 banks);
  EFI_STATUS(EFIAPI* get_result_of_set_active_pcr_banks)(Tcg2Protocol* self, UINT32* present,
                                                         UINT32* response);
};
static_assert(sizeof(Tcg2Protocol) == 56);

// ---- Confidential-computing measurement (UEFI 2.10, 38.2).
struct CcVersion {
  UINT8 major;
  UINT8 minor;
};
struct CcType {
  UINT8 type;
  UINT8 sub_type;
};
struct CcCapability {
  UINT8 size;
  CcVersion structure_version;
  CcVersion protocol_version;
  UINT32 hash_algorithm_bitmap;
  UINT32 supported_event_logs;
  CcType cc_type;
};
static_assert(sizeof(CcCapability) == 20 && offsetof(CcCapability, hash_algorithm_bitmap) == 8);

struct CcProtocol {
  EFI_STATUS(EFIAPI* get_capability)(CcProtocol* self, CcCapability* capability);
  EFI_STATUS(EFIAPI* get_event_log)(CcProtocol* self, UINT32 format, EFI_PHYSICAL_ADDRESS* location,
                                    EFI_PHYSICAL_ADDRESS* last_entry, BOOLEAN* truncated);
  EFI_STATUS(EFIAPI* hash_log_extend_event)(CcProtocol* self, UINT64 flags,
                                            EFI_PHYSICAL_ADDRESS data, UINT64 data_size,
                                            void* event);
  EFI_STATUS(EFIAPI* map_pcr_to_mr_index)(CcProtocol* self, UINT32 pcr, UINT32* register_index);
};
static_assert(sizeof(CcProtocol) == 32);

// ---- Memory attributes (UEFI 2.10, 37.1).
struct MemoryAttributeProtocol {
  EFI_STATUS(EFIAPI* get)(MemoryAttributeProtocol* self, EFI_PHYSICAL_ADDRESS base, UINT64 size,
                          UINT64* attributes);
  EFI_STATUS(EFIAPI* set)(MemoryAttributeProtocol* self, EFI_PHYSICAL_ADDRESS base, UINT64 size,
                          UINT64 attributes);
  EFI_STATUS(EFIAPI* clear)(MemoryAttributeProtocol* self, EFI_PHYSICAL_ADDRESS base, UINT64 size,
                            UINT64 attributes);
};
static_assert(sizeof(MemoryAttributeProtocol) == 24);
constexpr UINT64 memory_execute_protect = EFI_MEMORY_XP;
constexpr UINT64 memory_read_only = 0x20000;

// ---- Security architectural protocols (PI 1.7, volume 2, 12.9): what LoadImage asks.
struct SecurityArchProtocol {
  EFI_STATUS(EFIAPI* file_authentication_state)(const SecurityArchProtocol* self, UINT32 status,
                                                const EFI_DEVICE_PATH* file);
};
struct Security2ArchProtocol {
  EFI_STATUS(EFIAPI* file_authentication)(const Security2ArchProtocol* self,
                                          const EFI_DEVICE_PATH* file, void* buffer, UINTN size,
                                          BOOLEAN boot_policy);
};
static_assert(sizeof(SecurityArchProtocol) == 8 && sizeof(Security2ArchProtocol) == 8);

// ---- shim's lock. Its functions keep the calling convention of shim's compiler, not EFIAPI: call
// them through cpu::call_native.
struct ShimLockProtocol {
  void* verify;  // EFI_STATUS (const void* buffer, UINT32 size)
  void* hash;
  void* context;
};
static_assert(sizeof(ShimLockProtocol) == 24);

// ---- Time stamps (UEFI 2.10, 37.2).
struct TimestampProperties {
  UINT64 frequency;
  UINT64 end_value;
};
struct TimestampProtocol {
  UINT64(EFIAPI* get_timestamp)();
  EFI_STATUS(EFIAPI* get_properties)(TimestampProperties* properties);
};
static_assert(sizeof(TimestampProtocol) == 16 && sizeof(TimestampProperties) == 16);

// ---- HII database (UEFI 2.10, 34.8): only what we call has a type.
struct HiiDatabaseProtocol {
  void* new_package_list;
  void* remove_package_list;
  void* update_package_list;
  void* list_package_lists;
  void* export_package_lists;
  void* register_package_notify;
  void* unregister_package_notify;
  void* find_keyboard_layouts;
  // Without a GUID: the current one.
  EFI_STATUS(EFIAPI* get_keyboard_layout)(HiiDatabaseProtocol* self, const EFI_GUID* layout,
                                          UINT16* size, void* buffer);
  void* set_keyboard_layout;
  void* get_package_list_handle;
};
static_assert(sizeof(HiiDatabaseProtocol) == 88);

// ---- UEFI shell arguments (UEFI Shell 2.2, section 2.3): Argv[0] is the program.
struct ShellParametersProtocol {
  CHAR16** argv;
  UINTN argc;
  void* std_in;
  void* std_out;
  void* std_err;
};
static_assert(sizeof(ShellParametersProtocol) == 40);

// ---- Fix-ups of device trees (EFI_DT_FIXUP_PROTOCOL, revision 1.0).
struct DeviceTreeFixupProtocol {
  UINT64 revision;
  // `size` is that of the buffer; with BUFFER_TOO_SMALL, the one that is needed.
  EFI_STATUS(EFIAPI* fixup)(DeviceTreeFixupProtocol* self, void* tree, UINTN* size, UINT32 flags);
};
static_assert(sizeof(DeviceTreeFixupProtocol) == 16);
constexpr UINT32 device_tree_apply_fixups = 1;
constexpr UINT32 device_tree_reserve_memory = 2;

// ---- Console control (Intel's EFI Sample Implementation 1.10; never specified).
constexpr UINT32 console_control_text = 0;
constexpr UINT32 console_control_graphics = 1;
struct ConsoleControlProtocol {
  EFI_STATUS(EFIAPI* get_mode)(ConsoleControlProtocol* self, UINT32* mode, BOOLEAN* has_graphics,
                               BOOLEAN* input_locked);
  EFI_STATUS(EFIAPI* set_mode)(ConsoleControlProtocol* self, UINT32 mode);
  EFI_STATUS(EFIAPI* lock_input)(ConsoleControlProtocol* self, CHAR16* password);
};
static_assert(sizeof(ConsoleControlProtocol) == 24);

// ---- The two tables. Valid while a program runs (entry.h).
EFI_SYSTEM_TABLE& system_table();
inline EFI_BOOT_SERVICES& boot_services() { return *system_table().BootServices; }
inline EFI_RUNTIME_SERVICES& runtime_services() { return *system_table().RuntimeServices; }

// gnu-efi's prototypes lack const; the firmware does not write through these.
inline EFI_GUID* as_efi(const Guid& guid) {
  return reinterpret_cast<EFI_GUID*>(const_cast<Guid*>(&guid));
}
inline CHAR16* as_efi(const char16_t* text) { return const_cast<CHAR16*>(text); }
inline EFI_DEVICE_PATH* as_device_path(Bytes path) {
  return path.empty() ? nullptr
                      : reinterpret_cast<EFI_DEVICE_PATH*>(const_cast<std::byte*>(path.data()));
}

}  // namespace keelson::efi
