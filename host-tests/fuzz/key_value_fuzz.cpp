// SPDX-License-Identifier: MIT
//
// Any bytes read as lines: keys and values lie in the input, in order, without line ends.
#include "efi/format/key_value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes text = std::as_bytes(std::span(data, size));
  for (const auto separator : {KeySeparator::blank, KeySeparator::equals}) {
    KeyValueLines lines(text, separator);
    const char* behind = text_of(text).data();
    std::uint32_t line_before = 0;
    while (const auto line = lines.next()) {
      if (line->key.empty() || line->value.empty()) __builtin_trap();
      if (line->key.data() < behind || line->value.data() <= line->key.data()) __builtin_trap();
      behind = line->value.data() + line->value.size();
      if (behind > text_of(text).data() + size) __builtin_trap();
      if (line->line <= line_before) __builtin_trap();
      line_before = line->line;
      if (line->value.find_first_of(std::string_view("\r\n\0", 3)) != line->value.npos)
        __builtin_trap();
    }
  }
  return 0;
}
