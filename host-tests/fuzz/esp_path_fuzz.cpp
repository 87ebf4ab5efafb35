// SPDX-License-Identifier: MIT
//
// Any path: refused, or normalised for good.
#include "efi/base/esp_path.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  TextArena arena;
  const auto path = EspPath::parse(text_of(std::as_bytes(std::span(data, size))), arena);
  if (!path.has_value()) return 0;
  if (!path->text().starts_with(u'\\') || path->file_name().empty()) __builtin_trap();
  const auto again = EspPath::parse(path->text(), arena);
  if (!again.has_value() || again->text() != path->text()) __builtin_trap();
  const auto joined = EspPath::join(path->directory(), path->file_name(), arena);
  if (!joined.has_value() || joined->text() != path->text()) __builtin_trap();
  return 0;
}
