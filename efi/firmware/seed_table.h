// SPDX-License-Identifier: MIT
//
// Owns the random seed that boot loaders hand to Linux in a configuration table (LINUX_EFI_RANDOM
// _SEED_TABLE, stub.md 8.3): finding, installing, taking away. What is in it is
// efi/format/random_seed.h.
#pragma once

#include "efi/firmware/handle.h"

namespace keelson::efi {

// The seed in the table that is installed; it may be changed in place. Empty if there is no table,
// or one that claims more than 64 KiB.
MutableBytes seed_table();

// Installs a table with a copy of `seed`. Then the one that was there is wiped and freed: it is in
// pool memory by agreement between the programs that make and replace it. Ours is wiped and taken
// away again when the program ends without a kernel that took over. Errors: out_of_memory (pool,
// undo list), firmware; the table that was there is then untouched.
Result<> install_seed_table(Bytes seed);

}  // namespace keelson::efi
