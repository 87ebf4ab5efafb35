// SPDX-License-Identifier: MIT
//
// Any bytes read as os-release: the chosen fields lie in the input.
#include "efi/format/os_release.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes text = std::as_bytes(std::span(data, size));
  const auto release = parse_os_release(text);
  const auto profile = parse_profile(text);
  const std::string_view whole = text_of(text);
  for (const auto field :
       {release.title(), release.version_text(), release.sort_key(), profile.id, profile.title})
    if (!field.empty() &&
        (field.data() < whole.data() || field.data() + field.size() > whole.data() + whole.size()))
      __builtin_trap();
  return 0;
}
