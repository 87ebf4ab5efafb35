// SPDX-License-Identifier: MIT
//
// Any bytes of a layout: what comes out is a tag of letters, digits and hyphens.
#include "efi/format/keyboard_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  TextArena texts;
  const auto tag = keyboard_language(std::as_bytes(std::span(data, size)), texts);
  if (!tag.has_value()) return 0;
  if (tag->empty() || tag->size() > 64) __builtin_trap();
  for (const char16_t unit : *tag)
    if (unit < u'-' || unit > u'z') __builtin_trap();
  return 0;
}
