// SPDX-License-Identifier: MIT
//
// Any pattern against any text: it ends, and a text with every character escaped matches itself.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "efi/format/glob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  FuzzedDataProvider input(data, size);
  std::u16string pattern, text, escaped;
  for (const char c : input.ConsumeRandomLengthString(2000))
    pattern += static_cast<unsigned char>(c);
  for (const char c : input.ConsumeRemainingBytesAsString()) text += static_cast<unsigned char>(c);
  for (const char16_t c : text) (escaped += u'\\') += c;
  if (!glob_match(escaped, text)) __builtin_trap();
  const bool matches = glob_match(pattern, text);
  if (matches && !glob_match(u"*" + pattern, text)) __builtin_trap();
  if (matches && !pattern.ends_with(u'\\') && !glob_match(u"*" + pattern, u"x" + text))
    __builtin_trap();
  (void)glob_match_ignoring_case(pattern, text);
  return 0;
}
