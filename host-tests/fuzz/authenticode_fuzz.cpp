// SPDX-License-Identifier: MIT
//
// Any bytes as a file to be hashed or with signatures: the hashed ranges of an accepted file lie in
// it, no byte is hashed twice unless sections leave gaps, and walking certificates ends.
#include "efi/format/authenticode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto hashed = authenticode::hashed_bytes(input);
  const auto table = authenticode::certificate_table(input);
  if (hashed.has_value() != table.has_value()) __builtin_trap();
  std::size_t at = 0;
  for (bool more = true; more;) {
    const std::size_t before = at;
    const auto certificate = authenticode::next_certificate(input, at);
    more = certificate.has_value() && certificate->has_value();
    if (more && at <= before) __builtin_trap();
  }
  if (!hashed.has_value()) return 0;
  std::uint64_t total = 0;
  for (const Bytes part : hashed->items()) {
    total += part.size();
    const bool inside =
        part.data() >= input.data() && part.data() + part.size() <= input.data() + input.size();
    if (!inside && part.size() >= 8) __builtin_trap();  // only the padding is not of the file
  }
  if (total > 2 * size + 8) __builtin_trap();
  return 0;
}
