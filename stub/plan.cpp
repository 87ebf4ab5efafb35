// SPDX-License-Identifier: MIT
//
// Decides; see plan.h. One function per question, in the order of stub.md.
#include "stub/plan.h"

#include "efi/format/identity.h"

namespace keelson::stub {
namespace {

namespace li = loader_interface;

// The content of an effective section; empty if there is none. Our own image is in memory whole,
// the zeros at the end of sections included.
Result<Bytes> content(const uki::Uki& uki, const uki::Effective& sections, UkiSection id) {
  const pe::SectionData data = TRY(uki.data(sections, id));
  if (data.zeros != 0) return fail(Errc::truncated, "section is not wholly in memory", data.zeros);
  return data.stored;
}

// PCR 12: the profile. PCR 11: name and content of each effective section, in the binding order.
// Sections with candidates count only when the hardware has selected one, which is not done here.
// PCR 12: the command line, if it came from outside.
Result<> plan_measurements(const Facts& facts, const uki::Effective& sections, const BaseLine& line,
                           MeasurementList& list) {
  TRY(list.add_profile(facts.request.profile));
  TRY(list.add_uki({facts.uki, sections}));
  if (line.measured) TRY(list.add_command_line(line.text));
  return {};
}

// Secure Boot with shim 16: shim revokes kernels by SBAT, so it is asked. Without shim our own
// signature is all there is, and it covers the kernel (stub.md 7.1).
Start decide_start(const Facts& facts) {
  return facts.secure_boot && facts.shim_image_loader ? Start::load_image : Start::in_memory;
}

Result<KernelStart> plan_kernel(const Facts& facts, const uki::Effective& sections) {
  KernelStart start;
  start.file = TRY(content(facts.uki, sections, UkiSection::kernel));
  if (start.file.empty()) return fail(Errc::not_found, "the image has no .linux section");
  start.kernel = TRY(pe::Kernel::parse(start.file));
  start.how = decide_start(facts);
  return start;
}

// Files that user space looks for in /.extra, in the order of their archives (stub.md 5.4, 5.5).
struct ExtraFile {
  UkiSection section;
  std::string_view name;
};
constexpr ExtraFile extra_files[InitrdPlan::most_extra_files] = {
    {UkiSection::pcrsig, "tpm2-pcr-signature.json"},
    {UkiSection::pcrpkey, "tpm2-pcr-public-key.pem"},
    {UkiSection::osrel, "os-release"},
    {UkiSection::profile, "profile"},
};

Result<InitrdPlan> plan_initrd(const Facts& facts, const uki::Effective& sections) {
  InitrdPlan initrd;
  initrd.ucode = TRY(content(facts.uki, sections, UkiSection::ucode));
  initrd.initrd = TRY(content(facts.uki, sections, UkiSection::initrd));
  for (const ExtraFile& file : extra_files) {
    const Bytes bytes = TRY(content(facts.uki, sections, file.section));
    if (!bytes.empty()) TRY(initrd.extra_files.push({.name = file.name, .content = bytes}));
  }
  return initrd;
}

// Where we, and so the boot, come from. `Loader…` variables are ours to set only if nobody has.
Result<> plan_origin_variables(const Facts& facts, TextArena& texts, PageList<Variable>& out) {
  const LoaderReports& reported = facts.loader_reports;
  if (facts.partition) {
    const Bytes guid = TRY(li::encode_guid(*facts.partition, texts));
    if (!reported.device_part_uuid) TRY(out.push({li::loader_device_part_uuid, guid}));
    TRY(out.push({li::stub_device_part_uuid, guid}));
  }
  if (!facts.device_url.empty()) {
    const Bytes url = TRY(li::encode_text(facts.device_url, texts));
    if (!reported.device_url) TRY(out.push({li::loader_device_url, url}));
    TRY(out.push({li::stub_device_url, url}));
  }
  if (!facts.image_path.empty()) {
    const Bytes path = TRY(li::encode_text(facts.image_path, texts));
    if (!reported.image_identifier) TRY(out.push({li::loader_image_identifier, path}));
    TRY(out.push({li::stub_image_identifier, path}));
  }
  return {};
}

Result<> plan_firmware_variables(const Facts& facts, TextArena& texts, PageList<Variable>& out) {
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
  return {};
}

// Only what this version does.
constexpr std::uint64_t features =
    li::stub_feature::report_boot_partition | li::stub_feature::multi_profile_uki |
    li::stub_feature::report_stub_partition | li::stub_feature::report_url;

Result<> plan_stub_variables(const Facts& facts, TextArena& texts, PageList<Variable>& out) {
  TRY(out.push({li::stub_info, TRY(li::encode_text(identity::stub_product_utf16, texts))}));
  TRY(out.push({li::stub_features, TRY(texts.keep(Bytes(li::encode_u64(features))))}));
  TRY(out.push({li::stub_profile, TRY(li::encode_decimal(facts.request.profile, texts))}));
  return {};
}

}  // namespace

Result<Plan> plan_boot(const Facts& facts) {
  const uki::Range profile = TRY(facts.uki.profile(facts.request.profile));
  const uki::Effective sections = facts.uki.effective(profile);

  Plan plan;
  plan.kernel = TRY(plan_kernel(facts, sections));

  LineFacts lines{.secure_boot = facts.secure_boot,
                  .confidential_vm = facts.confidential_vm,
                  .embedded = std::nullopt,
                  .passed = facts.request.line};
  if (sections.index(UkiSection::cmdline))
    lines.embedded =
        TRY(normalise_utf8(TRY(content(facts.uki, sections, UkiSection::cmdline)), plan.texts));
  const BaseLine line = choose_base_line(lines);
  plan.passed_line_ignored = line.passed_ignored;
  plan.kernel.command_line = TRY(plan.texts.keep(line.text));

  TRY(plan_measurements(facts, sections, line, plan.measurements));
  plan.initrd = TRY(plan_initrd(facts, sections));
  TRY(plan_origin_variables(facts, plan.texts, plan.variables));
  TRY(plan_firmware_variables(facts, plan.texts, plan.variables));
  TRY(plan_stub_variables(facts, plan.texts, plan.variables));
  return plan;
}

Result<> plan_pcr_variables(std::span<const Outcome> outcomes, TextArena& texts,
                            PageList<Variable>& variables) {
  struct Row {
    std::uint32_t pcr;
    li::Name variable;
  };
  constexpr Row rows[] = {{pcr::kernel_image, li::stub_pcr_kernel_image},
                          {pcr::kernel_parameters, li::stub_pcr_kernel_parameters}};
  for (const Row& row : rows) {
    for (const Outcome& outcome : outcomes) {
      if (outcome.pcr != row.pcr || outcome.extended == 0 || outcome.failed != 0) continue;
      TRY(variables.push({row.variable, TRY(li::encode_decimal(row.pcr, texts))}));
    }
  }
  return {};
}

}  // namespace keelson::stub
