// SPDX-License-Identifier: MIT
//
// Decides what user space is told; see reports.h.
#include "stub/reports.h"

#include "efi/format/identity.h"
#include "stub/gathered.h"

namespace keelson::stub {
namespace {

namespace li = loader_interface;

// Where we, and so the boot, come from. `Loader…` variables are ours to set only if nobody has.
Result<> plan_origin(const Facts& facts, TextArena& texts, PageList<Variable>& out) {
  const LoaderReports& reported = facts.loader_reports;
  if (facts.partition) {
    const Bytes guid = TRY(li::encode_guid(*facts.partition, texts));
    if (!reported.device_part_uuid) TRY(out.push({li::loader_device_part_uuid, guid, true}));
    TRY(out.push({li::stub_device_part_uuid, guid, true}));
  }
  if (!facts.device_url.empty()) {
    const Bytes url = TRY(li::encode_text(facts.device_url, texts));
    if (!reported.device_url) TRY(out.push({li::loader_device_url, url, true}));
    TRY(out.push({li::stub_device_url, url, true}));
  }
  if (!facts.image_path.empty()) {
    const Bytes path = TRY(li::encode_text(facts.image_path, texts));
    if (!reported.image_identifier) TRY(out.push({li::loader_image_identifier, path, true}));
    TRY(out.push({li::stub_image_identifier, path, true}));
  }
  return {};
}

Result<> plan_firmware(const Facts& facts, TextArena& texts, PageList<Variable>& out) {
  const LoaderReports& reported = facts.loader_reports;
  if (!reported.firmware_info)
    TRY(out.push(
        {li::loader_firmware_info,
         TRY(li::encode_revision(facts.firmware_vendor, facts.firmware_revision, texts))}));
  if (!reported.firmware_type)
    TRY(out.push(
        {li::loader_firmware_type, TRY(li::encode_revision(u"UEFI", facts.uefi_revision, texts))}));
  if (!reported.tpm2_active_pcr_banks)
    TRY(out.push({li::loader_tpm2_active_pcr_banks,
                  TRY(li::encode_pcr_banks(facts.active_pcr_banks, texts))}));
  if (!facts.keyboard_layout.empty())
    TRY(out.push({li::loader_keyboard_layout, TRY(li::encode_text(facts.keyboard_layout, texts))}));
  return {};
}

// Only what this version does.
constexpr std::uint64_t features =
    li::stub_feature::report_boot_partition | li::stub_feature::pick_up_credentials |
    li::stub_feature::pick_up_sysexts | li::stub_feature::three_pcrs |
    li::stub_feature::random_seed | li::stub_feature::cmdline_addons |
    li::stub_feature::cmdline_smbios | li::stub_feature::devicetree_addons |
    li::stub_feature::pick_up_confexts | li::stub_feature::multi_profile_uki |
    li::stub_feature::report_stub_partition | li::stub_feature::report_url |
    li::stub_feature::pcr_smbios;

Result<> plan_stub(const Facts& facts, TextArena& texts, PageList<Variable>& out) {
  TRY(out.push({li::stub_info, TRY(li::encode_text(identity::stub_product_utf16, texts)), true}));
  TRY(out.push({li::stub_features, TRY(texts.keep(Bytes(li::encode_u64(features)))), true}));
  TRY(out.push({li::stub_profile, TRY(li::encode_decimal(facts.request.profile, texts)), true}));
  return {};
}

// Which variable speaks of a subject; archives have a kind of their own for extensions.
enum class Report : std::uint8_t { kernel_image, kernel_parameters, sysexts, confexts, smbios };
struct ReportRow {
  Report report;
  std::uint32_t pcr;
  li::Name variable;
};
constexpr ReportRow report_rows[] = {
    {Report::kernel_image, pcr::kernel_image, li::stub_pcr_kernel_image},
    {Report::kernel_parameters, pcr::kernel_parameters, li::stub_pcr_kernel_parameters},
    {Report::sysexts, pcr::system_extensions, li::stub_pcr_initrd_sysexts},
    {Report::confexts, pcr::kernel_parameters, li::stub_pcr_initrd_confexts},
    {Report::smbios, pcr::platform_config, li::loader_pcr_smbios},
};

Report report_of_archive(ArchiveKind kind) {
  switch (kind) {
    case ArchiveKind::sysext:
    case ArchiveKind::global_sysext:
      return Report::sysexts;
    case ArchiveKind::confext:
    case ArchiveKind::global_confext:
      return Report::confexts;
    case ArchiveKind::credentials:
    case ArchiveKind::global_credentials:
      break;
  }
  return Report::kernel_parameters;
}

Report report_of(const EventSubject& subject) {
  switch (subject.subject) {
    case Subject::image:
      return Report::kernel_image;
    case Subject::smbios:
      return Report::smbios;
    case Subject::archive:
      return report_of_archive(static_cast<ArchiveKind>(subject.index));
    case Subject::parameters:
    case Subject::device_tree:
    case Subject::ucode:
    case Subject::initrd:
      break;
  }
  return Report::kernel_parameters;
}

bool is_measured(std::span<const MeasuredPlan> measured, Report report) {
  bool any = false;
  for (const MeasuredPlan& plan : measured)
    for (std::size_t i = 0; i < plan.results.size(); ++i) {
      if (report_of(plan.events.subjects[i]) != report) continue;
      if (plan.results[i] == Measured::failed) return false;
      any = any || plan.results[i] == Measured::yes;
    }
  return any;
}

}  // namespace

Result<> plan_reports(const Facts& facts, TextArena& texts, PageList<Variable>& variables) {
  TRY(plan_origin(facts, texts, variables));
  TRY(plan_firmware(facts, texts, variables));
  return plan_stub(facts, texts, variables);
}

Result<> plan_pcr_reports(std::span<const MeasuredPlan> measured, TextArena& texts,
                          PageList<Variable>& variables) {
  for (const ReportRow& row : report_rows)
    if (is_measured(measured, row.report))
      TRY(variables.push({.name = row.variable,
                          .value = TRY(li::encode_decimal(row.pcr, texts)),
                          .of_this_image = row.report != Report::smbios}));
  return {};
}

}  // namespace keelson::stub
