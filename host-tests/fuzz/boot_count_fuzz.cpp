// SPDX-License-Identifier: MIT
//
// Any file name: reading and writing is the identity, a try never makes more tries.
#include <string>

#include "efi/format/boot_count.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  std::u16string name;
  for (std::size_t i = 0; i < size; ++i) name += data[i];
  for (const std::u16string_view suffix : {u"", u".conf", u".EFI"}) {
    const std::u16string full = name + std::u16string(suffix);
    const auto parsed = parse_counted_name(full);
    if (!parsed.has_value()) continue;
    TextArena arena;
    const auto written = write_counted_name(*parsed, parsed->count, arena);
    if (written.has_value() ? *written != full : full.size() <= 255) __builtin_trap();
    if (!parsed->count) continue;
    const BootCount next = after_try(*parsed->count);
    if (next.tries_left > parsed->count->tries_left || next.tries_done < parsed->count->tries_done)
      __builtin_trap();
    const auto renamed = write_counted_name(*parsed, next, arena);
    if (!renamed.has_value()) continue;
    const auto again = parse_counted_name(*renamed);
    if (!again.has_value() || again->count != next || again->stem != parsed->stem) __builtin_trap();
  }
  return 0;
}
