// SPDX-License-Identifier: MIT
//
// Gathers facts; see observe.h.
#include "stub/observe.h"

#include <array>

#include "efi/firmware/keyboard_layout.h"
#include "efi/firmware/partition.h"
#include "efi/firmware/secure_boot.h"
#include "efi/firmware/smbios_table.h"
#include "efi/firmware/system.h"
#include "efi/format/device_path.h"
#include "stub/confidential_vm.h"

namespace keelson::stub {
namespace {

namespace li = loader_interface;

Result<BootRequest> read_request(const efi::Image& self, TextArena& texts) {
  const auto shell = self.shell_arguments();
  if (!shell) return parse_load_options(self.load_options(), texts);
  PageList<std::u16string_view> arguments;
  for (std::size_t i = 0; i < shell->size(); ++i) TRY(arguments.push((*shell)[i]));
  return parse_shell_arguments(arguments.items(), texts);
}

LoaderReports read_loader_reports(const efi::Variables& variables) {
  const auto exists = [&](const li::Name& name) { return variables.exists(name); };
  std::array<std::byte, 16> room;  // for the number of a PCR
  return {
      .device_part_uuid = exists(li::loader_device_part_uuid),
      .device_url = exists(li::loader_device_url),
      .image_identifier = exists(li::loader_image_identifier),
      .firmware_info = exists(li::loader_firmware_info),
      .firmware_type = exists(li::loader_firmware_type),
      .tpm2_active_pcr_banks = exists(li::loader_tpm2_active_pcr_banks),
      .keyboard_layout = exists(li::loader_keyboard_layout),
      .pcr_smbios = variables.get_report(li::loader_pcr_smbios, room).has_value(),
  };
}

// Where we come from. Not every starter says it; what is missing is then not reported further.
void read_origin(const efi::Image& self, TextArena& texts, Facts& facts) {
  if (const auto path = device_path::file_path_text(self.file_path(), texts); path.has_value())
    facts.image_path = *path;
  if (self.device() == nullptr) return;
  const auto device_path = efi::device_path_of(self.device());
  if (!device_path.has_value()) return;
  if (const auto guid = efi::partition_guid(self.device()); guid.has_value())
    facts.partition = *guid;
  if (const auto url = device_path::first_uri(*device_path); url.has_value() && *url)
    facts.device_url = **url;
}

// Only where nobody has asked before us: the answer has to be looked up.
void read_keyboard_layout(TextArena& texts, Facts& facts) {
  if (facts.loader_reports.keyboard_layout) return;
  if (const auto tag = efi::current_keyboard_language(texts); tag.has_value())
    facts.keyboard_layout = *tag;
}

void read_smbios(Facts& facts) {
  if (facts.confidential_vm) return;
  if (const auto table = efi::smbios_structures(); table.has_value())
    facts.smbios = smbios::Table(*table);
}

}  // namespace

Result<Facts> observe(const efi::Image& self, const efi::Tpm& tpm, TextArena& texts) {
  Facts facts;
  facts.uki = TRY(uki::Uki::parse(self.loaded_bytes(), pe::Layout::loaded));
  facts.request = TRY(read_request(self, texts));
  facts.secure_boot = efi::is_secure_boot_on(self.variables());
  facts.confidential_vm = in_confidential_vm();
  facts.shim_verifies = efi::find_shim().verifies();
  facts.active_pcr_banks = tpm.active_pcr_banks();
  facts.loader_reports = read_loader_reports(self.variables());
  read_keyboard_layout(texts, facts);
  read_smbios(facts);
  read_origin(self, texts, facts);
  const efi::FirmwareInfo firmware = efi::firmware_info();
  facts.firmware_vendor = firmware.vendor;
  facts.firmware_revision = firmware.revision;
  facts.uefi_revision = firmware.uefi_revision;
  return facts;
}

}  // namespace keelson::stub
