// SPDX-License-Identifier: MIT
//
// Owns every decision of the stub (stub.md 1 to 5, 7.1, 8): which sections count, which command
// line, what is measured, which files the initrd gets, how the kernel is started, which variables
// are set. Pure: facts in, plan out, nothing is done here. Carrying it out is measure, initrd,
// start_linux and main.
#pragma once

#include "efi/base/static_vector.h"
#include "efi/format/command_line.h"
#include "efi/format/cpio.h"
#include "efi/format/loader_interface.h"
#include "efi/format/measurement.h"
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
};

// All that the plan depends on. Views must live as long as the plan.
struct Facts {
  uki::Uki uki;         // of our own image as loaded, which the firmware has verified
  BootRequest request;  // from the load options

  bool secure_boot = true;
  bool confidential_vm = false;
  bool shim_image_loader = false;  // shim 16 and later: it answers for LoadImage

  std::uint32_t active_pcr_banks = 0;
  LoaderReports loader_reports;
  std::optional<Guid> partition;   // of the volume we were loaded from
  std::string_view device_url;     // of network boot; empty: none
  std::u16string_view image_path;  // as the starter wrote it; empty: unknown
  std::u16string_view firmware_vendor;
  std::uint32_t firmware_revision = 0;
  std::uint32_t uefi_revision = 0;
};

// How the kernel gets control.
enum class Start : std::uint8_t {
  in_memory,   // copied into place by us: it was verified as part of our own image
  load_image,  // through LoadImage, where shim 16 verifies it once more
};

struct Variable {
  loader_interface::Name name;
  Bytes value;
};

struct KernelStart {
  Start how = Start::in_memory;
  pe::Kernel kernel;
  Bytes file;                        // content of .linux
  std::u16string_view command_line;  // followed by a NUL; empty: the kernel gets no load options
};

// The parts of the initrd, in the order in which the kernel gets them: `ucode`, what somebody
// registered before us, `initrd`, then one archive for each of `extra_files`.
struct InitrdPlan {
  static constexpr std::size_t most_extra_files = 4;
  Bytes ucode;   // empty: none
  Bytes initrd;  // empty: none
  cpio::Layout extra_layout{.directory = ".extra"};
  StaticVector<cpio::File, most_extra_files> extra_files;
};

struct Plan {
  MeasurementList measurements;  // in the order of extending
  KernelStart kernel;
  InitrdPlan initrd;
  PageList<Variable> variables;
  bool passed_line_ignored = false;  // somebody passed a command line and policy dropped it
  TextArena texts;                   // what the views above point to
};

// Errors: not_found (no kernel, no such profile), those of pe::Kernel::parse for a kernel that
// cannot be started, out_of_memory.
Result<Plan> plan_boot(const Facts& facts);

// What became of the measurements of one PCR. `extended` counts events that reached every present
// TPM or CC register, so it stays 0 without either.
struct Outcome {
  std::uint32_t pcr = 0;
  std::uint32_t extended = 0;
  std::uint32_t failed = 0;
};
// The variables that tell user space which PCRs hold something (design decision 7): of kinds of
// which at least one item was measured and none failed. Error: out_of_memory.
Result<> plan_pcr_variables(std::span<const Outcome> outcomes, TextArena& texts,
                            PageList<Variable>& variables);

}  // namespace keelson::stub
