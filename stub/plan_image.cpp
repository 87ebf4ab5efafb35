// SPDX-License-Identifier: MIT
//
// Decides about our own image; see plan_image.h. One function per question.
#include "stub/plan_image.h"

namespace keelson::stub {
namespace {

// A pinned kernel has no signature that shim could accept; its hash is what we vouch for (design
// decision 5).
Result<KernelStart> plan_kernel(const Facts& facts, const uki::Contents& contents,
                                KernelOrigin origin) {
  return plan_kernel_start(TRY(content(contents, UkiSection::kernel)),
                           {.secure_boot = facts.secure_boot,
                            .shim_verifies = facts.shim_verifies,
                            .pinned = origin == KernelOrigin::pinned_file});
}

// R6. Loaders do not list such an image either.
Result<> check_line(const uki::Contents& contents) {
  const Bytes line = TRY(content(contents, UkiSection::cmdline));
  if (line.size() > uki::max_text_size)
    return fail(Errc::malformed, "the command line in the image is too long", line.size());
  return {};
}

// PCR 12: the profile. PCR 11: name and content of each effective section, in the binding order.
Result<> plan_events(const Facts& facts, const uki::Contents& contents, PlannedEvents& events) {
  TRY(events.list.add_profile(facts.request.profile));
  TRY(events.label({Subject::parameters}));
  TRY(events.list.add_uki(contents));
  return events.label({Subject::image});
}

}  // namespace

Result<Bytes> content(const uki::Contents& contents, UkiSection id) {
  return TRY(contents.data(id)).in_memory();
}

Result<Bytes> device_tree_of(const uki::Contents& contents) {
  const Bytes selected = TRY(content(contents, UkiSection::dtbauto));
  return selected.empty() ? content(contents, UkiSection::dtb) : Result<Bytes>(selected);
}

Result<uki::Effective> choose_sections(const Facts& facts) {
  return facts.uki.effective(TRY(facts.uki.profile(facts.request.profile)));
}

Result<ImagePlan> plan_image(const Facts& facts, const uki::Contents& contents,
                             KernelOrigin origin) {
  ImagePlan plan(contents);
  plan.kernel = TRY(plan_kernel(facts, contents, origin));
  plan.device_tree = TRY(device_tree_of(contents));
  TRY(check_line(contents));
  TRY(plan_events(facts, contents, plan.events));
  return plan;
}

}  // namespace keelson::stub
