// SPDX-License-Identifier: MIT
//
// Any bytes as a UKI: walking profiles finds what asking for them by number finds, contents lie in
// the input, and the ranges that a list would read are bounded.
#include "efi/format/uki.h"

namespace {

using namespace keelson;

void check(const uki::Uki& uki, const uki::Effective& sections, Bytes input) {
  for (const auto& row : uki_sections) {
    const auto section = uki.find(sections, row.id);
    const auto data = uki.data(sections, row.id);
    if (!section) {
      if (!data.has_value() || data->size() != 0) __builtin_trap();
      continue;
    }
    if (section->name() != row.name || !section->is_set()) __builtin_trap();
    if (data.has_value() && !data->stored.empty() &&
        (data->stored.data() < input.data() ||
         data->stored.data() + data->stored.size() > input.data() + input.size()))
      __builtin_trap();
  }
  const auto texts = uki::list_texts(uki, sections);
  if (texts.has_value() &&
      (texts->osrel.size > uki::max_text_size || texts->cmdline.size > uki::max_text_size))
    __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  for (const auto layout : {pe::Layout::file, pe::Layout::loaded}) {
    const auto uki = uki::Uki::parse(input, layout, pe::Accept::any_machine);
    if (!uki.has_value()) continue;
    check(*uki, uki->effective_base(), input);
    std::uint64_t number = 0;
    for (auto range = uki->next_profile(uki->base()); range && number < 64;
         range = uki->next_profile(*range)) {
      const auto same = uki->profile(number++);
      if (!same.has_value() || same->first != range->first || same->last != range->last)
        __builtin_trap();
      check(*uki, uki->effective(*range), input);
    }
    if (uki->listed_profiles() == 0) __builtin_trap();
    (void)uki::classify(uki->image());
  }
  return 0;
}
