// SPDX-License-Identifier: MIT
//
// Wiping (secret.h).
#include "efi/base/secret.h"

namespace keelson {

void wipe(MutableBytes bytes) {
  if (bytes.empty()) return;
  __builtin_memset(bytes.data(), 0, bytes.size());
  // The compiler must assume that somebody looks at the memory here.
  __asm__ volatile("" : : "r"(bytes.data()) : "memory");
}

}  // namespace keelson
