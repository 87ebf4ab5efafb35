// SPDX-License-Identifier: MIT
//
// Any text as SBAT: what merges is sound, ends in a newline and merges with itself to the same.
#include "efi/format/sbat.h"

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const std::string_view text = text_of(std::as_bytes(std::span(data, size)));
  (void)sbat::check(text);
  const auto merge = [](std::string_view source) -> std::string {
    std::string room(source.size() + 2 * sbat::merge_overhead, '\0');
    Writer writer(std::as_writable_bytes(std::span(room)));
    if (!sbat::merge(std::span(&source, 1), writer).has_value()) return {};
    room.resize(writer.size());
    return room;
  };
  const std::string merged = merge(text);
  if (merged.empty()) return 0;
  if (!sbat::check(merged).has_value() || !merged.ends_with('\n')) __builtin_trap();
  if (merge(merged) != merged) __builtin_trap();
  return 0;
}
