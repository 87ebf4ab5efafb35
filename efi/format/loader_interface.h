// SPDX-License-Identifier: MIT
//
// Owns the variables through which loader, stub and user space speak (Boot Loader Interface as
// systemd 261 has it, and our own Keelson* ones): names, vendor GUIDs, attributes, encodings,
// feature bits. Who sets which when belongs to loader and stub.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "efi/base/guid.h"
#include "efi/base/page_list.h"
#include "efi/base/wire.h"

namespace keelson {

struct Entry;

namespace loader_interface {

constexpr Guid loader_vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"_guid;
constexpr Guid keelson_vendor = "b8c3cd60-ac40-42eb-b9c7-10fe3686e2b6"_guid;
constexpr Guid global_vendor = "8be4df61-93ca-11d2-aa0d-00e098032b8c"_guid;
constexpr Guid shim_vendor = "605dab50-e046-4300-abb6-3dd810dd8b23"_guid;

// EFI_VARIABLE_* attribute bits.
constexpr std::uint32_t non_volatile = 1, boot_access = 2, runtime_access = 4;
constexpr std::uint32_t volatile_attributes = boot_access | runtime_access;
constexpr std::uint32_t persistent_attributes = non_volatile | boot_access | runtime_access;

// A variable: which vendor, which name, with which attributes it is written.
struct Name {
  Guid vendor;
  std::u16string_view text;  // a literal, hence followed by a NUL
  std::uint32_t attributes = volatile_attributes;
};
constexpr Name loader(std::u16string_view text, std::uint32_t attributes = volatile_attributes) {
  return {loader_vendor, text, attributes};
}

// Set by the loader, some by the stub if no loader did.
constexpr Name time_init = loader(u"LoaderTimeInitUSec");
constexpr Name time_menu = loader(u"LoaderTimeMenuUSec");
constexpr Name time_exec = loader(u"LoaderTimeExecUSec");
constexpr Name loader_info = loader(u"LoaderInfo");
constexpr Name loader_features = loader(u"LoaderFeatures");
constexpr Name loader_device_part_uuid = loader(u"LoaderDevicePartUUID");
constexpr Name loader_device_url = loader(u"LoaderDeviceURL");
constexpr Name loader_image_identifier = loader(u"LoaderImageIdentifier");
constexpr Name loader_firmware_info = loader(u"LoaderFirmwareInfo");
constexpr Name loader_firmware_type = loader(u"LoaderFirmwareType");
constexpr Name loader_tpm2_active_pcr_banks = loader(u"LoaderTpm2ActivePcrBanks");
constexpr Name loader_keyboard_layout = loader(u"LoaderKeyboardLayout");
constexpr Name loader_pcr_smbios = loader(u"LoaderPcrSMBIOS");
constexpr Name loader_entries = loader(u"LoaderEntries");
constexpr Name loader_entry_selected = loader(u"LoaderEntrySelected");
constexpr Name loader_boot_count_path = loader(u"LoaderBootCountPath");

// Read by the loader; persistent where it writes them.
constexpr Name config_timeout = loader(u"LoaderConfigTimeout", persistent_attributes);
constexpr Name config_timeout_one_shot =
    loader(u"LoaderConfigTimeoutOneShot", persistent_attributes);
constexpr Name config_console_mode = loader(u"LoaderConfigConsoleMode", persistent_attributes);
constexpr Name entry_one_shot = loader(u"LoaderEntryOneShot", persistent_attributes);
constexpr Name entry_default = loader(u"LoaderEntryDefault", persistent_attributes);
constexpr Name entry_preferred = loader(u"LoaderEntryPreferred", persistent_attributes);
constexpr Name entry_last_booted = loader(u"LoaderEntryLastBooted", persistent_attributes);

// Read by the stub. The token is a secret of the installation, for firmware without random numbers.
constexpr Name loader_system_token = loader(u"LoaderSystemToken", persistent_attributes);

// Set by the stub.
constexpr Name stub_info = loader(u"StubInfo");
constexpr Name stub_features = loader(u"StubFeatures");
constexpr Name stub_profile = loader(u"StubProfile");
constexpr Name stub_device_part_uuid = loader(u"StubDevicePartUUID");
constexpr Name stub_device_url = loader(u"StubDeviceURL");
constexpr Name stub_image_identifier = loader(u"StubImageIdentifier");
constexpr Name stub_pcr_kernel_image = loader(u"StubPcrKernelImage");
constexpr Name stub_pcr_kernel_parameters = loader(u"StubPcrKernelParameters");
constexpr Name stub_pcr_initrd_sysexts = loader(u"StubPcrInitRDSysExts");
constexpr Name stub_pcr_initrd_confexts = loader(u"StubPcrInitRDConfExts");

// A secret of the machine, out of reach once the firmware is left.
constexpr Name loader_boot_secret = loader(u"LoaderBootSecret", non_volatile | boot_access);

// Our own, UTF-8 without terminator (design decision 17).
constexpr Name keelson_log = {keelson_vendor, u"KeelsonLog"};
constexpr Name keelson_times = {keelson_vendor, u"KeelsonTimes"};
constexpr std::size_t max_log_size = 16 * 1024;

// Of the firmware and of shim.
constexpr Name secure_boot = {global_vendor, u"SecureBoot"};
constexpr Name os_indications = {global_vendor, u"OsIndications", persistent_attributes};
constexpr Name os_indications_supported = {global_vendor, u"OsIndicationsSupported"};
constexpr std::uint64_t os_indications_boot_to_firmware = 1;
constexpr Name shim_retain_protocol = {shim_vendor, u"ShimRetainProtocol"};

// LoaderFeatures. Set only those that are true.
namespace loader_feature {
constexpr std::uint64_t config_timeout = 1u << 0, config_timeout_one_shot = 1u << 1,
                        entry_default = 1u << 2, entry_one_shot = 1u << 3, boot_counting = 1u << 4,
                        xbootldr = 1u << 5, random_seed = 1u << 6, drivers = 1u << 7,
                        sort_key = 1u << 8, saved_entry = 1u << 9, devicetree = 1u << 10,
                        secure_boot_enroll = 1u << 11, retain_shim = 1u << 12,
                        menu_disabled = 1u << 13, multi_profile_uki = 1u << 14,
                        report_url = 1u << 15, type1_uki = 1u << 16, type1_uki_url = 1u << 17,
                        tpm2_active_pcr_banks = 1u << 18, entry_preferred = 1u << 19,
                        keyboard_layout = 1u << 20, pcr_smbios = 1u << 21;
}  // namespace loader_feature

// StubFeatures.
namespace stub_feature {
constexpr std::uint64_t report_boot_partition = 1u << 0, pick_up_credentials = 1u << 1,
                        pick_up_sysexts = 1u << 2, three_pcrs = 1u << 3, random_seed = 1u << 4,
                        cmdline_addons = 1u << 5, cmdline_smbios = 1u << 6,
                        devicetree_addons = 1u << 7, pick_up_confexts = 1u << 8,
                        multi_profile_uki = 1u << 9, report_stub_partition = 1u << 10,
                        report_url = 1u << 11, pcr_smbios = 1u << 12;
}  // namespace stub_feature

// A text variable: UTF-16 with NUL. The bytes live in `arena`. Error: out_of_memory.
Result<Bytes> encode_text(std::u16string_view text, TextArena& arena);
Result<Bytes> encode_text(std::string_view utf8, TextArena& arena);
// LoaderFeatures, StubFeatures, OsIndications.
inline std::array<std::byte, 8> encode_u64(std::uint64_t value) {
  return std::bit_cast<std::array<std::byte, 8>>(Le<std::uint64_t>(value));
}
// LoaderTime*USec, StubProfile, LoaderConfigTimeout: decimal text, UTF-16 with NUL.
Result<Bytes> encode_decimal(std::uint64_t value, TextArena& arena);
// LoaderTpm2ActivePcrBanks: `0x0000000f`. StubPcr*: encode_decimal of the PCR.
Result<Bytes> encode_pcr_banks(std::uint32_t banks, TextArena& arena);
// LoaderFirmwareInfo, LoaderFirmwareType: `VENDOR 2.07` from a revision (high and low 16 bits).
Result<Bytes> encode_revision(std::u16string_view vendor, std::uint32_t revision, TextArena& arena);
// LoaderDevicePartUUID: upper case.
Result<Bytes> encode_guid(const Guid& guid, TextArena& arena);
// LoaderEntries: all ids in order, each with its NUL, nothing after the last.
Result<Bytes> encode_entries(std::span<const Entry> entries, TextArena& arena);

// The text of a variable up to its NUL, or to its end if there is none; copied to `arena`.
// Errors: malformed for odd sizes; out_of_memory.
Result<std::u16string_view> decode_text(Bytes value, TextArena& arena);
// Exactly eight bytes. Error: malformed.
Result<std::uint64_t> decode_u64(Bytes value);

}  // namespace loader_interface
}  // namespace keelson
