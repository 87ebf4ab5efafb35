// SPDX-License-Identifier: MIT
//
// Any name and path: what is accepted can stand in an archive, the directory is absolute, ends as
// it must and holds nothing that the path did not.
#include <algorithm>
#include <string>

#include "efi/format/companion_names.h"
#include "efi/format/cpio.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  // Mostly ASCII; 0xFF leads to other units.
  std::u16string text;
  for (std::size_t i = 0; i < size; ++i)
    text += data[i] == 0xFF && i + 1 < size ? static_cast<char16_t>(data[++i] << 8 | 0x2e)
                                            : static_cast<char16_t>(data[i]);
  TextArena arena;
  const auto name = ascii_companion_name(text, arena);
  if (name.has_value() != check_companion_name(text).has_value()) __builtin_trap();
  if (name.has_value()) {
    if (!cpio::check_file_name(*name).has_value() ||
        !std::ranges::equal(*name, text, [](char a, char16_t b) { return char16_t(a) == b; }))
      __builtin_trap();
  }
  if (companion_precedes(text, text)) __builtin_trap();
  const auto kind = companion_kind(text);
  if (kind && !text.contains(u'.')) __builtin_trap();

  const auto directory = companion_directory(text, arena);
  if (directory.has_value() == text.empty()) __builtin_trap();
  if (!directory.has_value()) return 0;
  if (!directory->starts_with(u'\\') || !directory->ends_with(u".extra.d") ||
      directory->contains(u"\\\\") || directory->contains(u'/') ||
      directory->size() > text.size() + 9)
    __builtin_trap();
  return 0;
}
