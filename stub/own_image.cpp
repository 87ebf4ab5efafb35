// SPDX-License-Identifier: MIT
//
// Puts together what our own image stands for; see own_image.h.
#include "stub/own_image.h"

#include "stub/candidates.h"
#include "stub/hardware.h"

namespace keelson::stub {
namespace {

// Candidates that fit this machine become sections like others.
Result<uki::Effective> resolve_sections(const Facts& facts, efi::Log& log) {
  uki::Effective sections = TRY(choose_sections(facts));
  if (has_candidates(facts.uki))
    select_candidates(facts.uki, facts.uki.base(), TRY(facts.uki.profile(facts.request.profile)),
                      observe_hardware(facts.smbios), log, sections);
  return sections;
}

}  // namespace

Result<OwnImage> resolve_own_image(const efi::Image& self, const Facts& facts, Screen& screen,
                                   TextArena& texts) {
  const uki::Effective sections = TRY(resolve_sections(facts, screen.log));
  OwnImage own{.files = {}, .contents = uki::Contents(facts.uki, sections)};
  const auto pins = TRY(thin_uki::find_pins(facts.uki, sections, texts));
  if (!pins) return own;
  own.files = TRY(read_pinned(self, *pins, screen));
  own.files.pin_in(own.contents);
  own.origin = KernelOrigin::pinned_file;
  return own;
}

}  // namespace keelson::stub
