// SPDX-License-Identifier: MIT
//
// Owns what the stub's decisions depend on: facts about the platform, about whoever started us and
// about our own image, as observe.h gathers them before anything is done. Plain data.
#pragma once

#include "efi/base/guid.h"
#include "efi/format/command_line.h"
#include "efi/format/smbios.h"
#include "efi/format/uki.h"

namespace keelson::stub {

// What may have been reported by whoever started us; then we leave it alone.
struct LoaderReports {
  bool device_part_uuid = false;
  bool device_url = false;
  bool image_identifier = false;
  bool firmware_info = false;
  bool firmware_type = false;
  bool tpm2_active_pcr_banks = false;
  bool keyboard_layout = false;
  bool pcr_smbios = false;
};

// Views must live as long as the plans made from them.
struct Facts {
  uki::Uki uki;         // of our own image as loaded, which the firmware has verified
  BootRequest request;  // from the load options

  bool secure_boot = true;
  bool confidential_vm = false;
  smbios::Table smbios;  // empty also in a confidential VM, whose host must not be believed
  bool shim_verifies = false;  // efi::Shim::verifies(): LoadedImage::load asks shim

  std::uint32_t active_pcr_banks = 0;
  LoaderReports loader_reports;
  std::optional<Guid> partition;        // of the volume we were loaded from
  std::string_view device_url;          // of network boot; empty: none
  std::u16string_view image_path;       // as the starter wrote it; empty: unknown
  std::u16string_view keyboard_layout;  // language tag; empty: unknown
  std::u16string_view firmware_vendor;
  std::uint32_t firmware_revision = 0;
  std::uint32_t uefi_revision = 0;
};

}  // namespace keelson::stub
