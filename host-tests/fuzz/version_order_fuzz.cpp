// SPDX-License-Identifier: MIT
//
// Three versions from any bytes: their order is antisymmetric and transitive.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "efi/format/version_order.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  FuzzedDataProvider input(data, size);
  const std::string a = input.ConsumeRandomLengthString(), b = input.ConsumeRandomLengthString(),
                    c = input.ConsumeRemainingBytesAsString();
  const auto ab = compare_versions(a, b), bc = compare_versions(b, c), ac = compare_versions(a, c);
  if (compare_versions(a, a) != 0) __builtin_trap();
  if (compare_versions(b, a) != (0 <=> ab)) __builtin_trap();
  if (ab == 0 && bc == 0 && ac != 0) __builtin_trap();
  if (ab <= 0 && bc <= 0 && (ab < 0 || bc < 0) && !(ac < 0)) __builtin_trap();
  return 0;
}
