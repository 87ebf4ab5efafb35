// SPDX-License-Identifier: MIT
//
// For a build of the stub that proves that page rights are enforced: linked with /wrap around
// MemoryAttributes::make_code, so that the kernel's code keeps the protection from execution that
// all its pages get. Under firmware that enforces it, the jump into the kernel must fault
// (qemu/test_memory_rights.py).
#include "efi/firmware/memory_attributes.h"

namespace keelson::efi {

// The linker's name for what replaces the member function; a member's `this` is its first argument.
Result<> leave_not_executable(MemoryAttributes& self, Bytes range) asm(
    "__wrap__ZN7keelson3efi16MemoryAttributes9make_codeENSt3__"
    "14spanIKSt4byteLy18446744073709551615EEE");
Result<> leave_not_executable(MemoryAttributes&, Bytes) { return {}; }

}  // namespace keelson::efi
