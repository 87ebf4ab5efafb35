// SPDX-License-Identifier: MIT
//
// Any load options and .cmdline: no control character comes through, normalising is idempotent,
// and what a loader composes a stub reads back.
#include <string>

#include "efi/format/command_line.h"

namespace {
void check_line(std::u16string_view line) {
  for (const char16_t unit : line)
    if (unit < 0x20 || unit == 0x7F) __builtin_trap();
  if (line.starts_with(u' ') || line.ends_with(u' ')) __builtin_trap();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  TextArena arena;
  const auto request = parse_load_options(bytes, arena);
  const auto section = normalise_utf8(bytes, arena);
  if (!request.has_value() || !section.has_value()) __builtin_trap();
  check_line(request->line);
  check_line(*section);
  if (*normalise(*section, arena) != *section) __builtin_trap();
  const auto composed =
      compose_load_options({.options = request->line, .profile = request->profile}, arena);
  if (!composed.has_value()) __builtin_trap();
  if (!*composed || request->profile == 0) return 0;
  const auto again = parse_load_options(bytes_of(**composed), arena);
  if (!again.has_value() || again->profile != request->profile || again->line != request->line)
    __builtin_trap();
  return 0;
}
