// SPDX-License-Identifier: MIT
//
// Lists what is measured of the things from outside; see plan_boot.h.
#include "stub/plan_boot.h"

namespace keelson::stub {
namespace {

Result<> plan_lines(const LinePlan& line, PlannedEvents& events) {
  if (line.base.measured) TRY(events.list.add_command_line(line.base.text));
  TRY(events.list.add_command_line(line.addons));
  TRY(events.list.add_command_line(line.smbios));
  return events.label({Subject::parameters});
}

// How archives are logged; by ArchiveKind.
struct ArchiveRow {
  std::uint32_t pcr;
  std::u16string_view description;
};
constexpr ArchiveRow archive_rows[archive_kinds] = {
    {pcr::kernel_parameters, u"Credentials initrd"},
    {pcr::kernel_parameters, u"Global credentials initrd"},
    {pcr::system_extensions, u"System extension initrd"},
    {pcr::system_extensions, u"Global system extension initrd"},
    {pcr::kernel_parameters, u"Configuration extension initrd"},
    {pcr::kernel_parameters, u"Global configuration extension initrd"},
};

Result<> plan_archives(const Gathered& gathered, PlannedEvents& events) {
  for (std::size_t i = 0; i < archive_kinds; ++i) {
    if (gathered.archives[i].empty()) continue;
    TRY(events.list.add({.pcr = archive_rows[i].pcr,
                         .description = archive_rows[i].description,
                         .data = gathered.archives[i].bytes()}));
    TRY(events.label({Subject::archive, i}));
  }
  return {};
}

// One part of an add-on: a tagged event in PCR 12, described by the file's name.
Result<> plan_addon_part(const Addon& addon, Bytes part, EventTag tag, EventSubject subject,
                         PlannedEvents& events) {
  if (part.empty()) return {};
  TRY(events.list.add({.pcr = pcr::kernel_parameters,
                       .kind = EventKind::event_tag,
                       .tag = tag,
                       .description = addon.name,
                       .data = part}));
  return events.label(subject);
}

}  // namespace

Result<BootPlan> plan_boot(const Facts& facts, const ImagePlan& image, const Gathered& gathered) {
  const std::span<const Addon> addons = gathered.addons.items();
  BootPlan plan;
  plan.line = TRY(plan_line(facts, image, addons, plan.texts));
  TRY(plan_lines(plan.line, plan.events));
  for (std::size_t i = 0; i < addons.size(); ++i)
    TRY(plan_addon_part(addons[i], addons[i].device_tree.bytes(), EventTag::device_tree_addon,
                        {Subject::device_tree, i}, plan.events));
  TRY(plan_archives(gathered, plan.events));
  // The kernel takes the first microcode that fits: the last add-on's comes first.
  for (std::size_t i = addons.size(); i-- != 0;)
    TRY(plan_addon_part(addons[i], addons[i].ucode.bytes(), EventTag::ucode_addon,
                        {Subject::ucode, i}, plan.events));
  for (std::size_t i = 0; i < addons.size(); ++i)
    TRY(plan_addon_part(addons[i], addons[i].initrd.bytes(), EventTag::initrd_addon,
                        {Subject::initrd, i}, plan.events));
  if (!facts.loader_reports.pcr_smbios) TRY(plan.events.list.add_smbios(facts.smbios));
  TRY(plan.events.label({Subject::smbios}));
  return plan;
}

}  // namespace keelson::stub
