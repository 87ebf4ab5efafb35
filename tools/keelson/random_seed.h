// SPDX-License-Identifier: MIT
//
// Owns the files with secrets of a boot partition: `loader/random-seed` and
// `loader/boot-secret-mixin` (stub.md 8.3, 8.4), and the variable LoaderSystemToken. Firmware code
// overwrites the seed and never makes or extends a file, so both are made here.
#pragma once

#include "tools/keelson/deeds.h"

namespace keelson::tool {

// Makes a new seed of the kernel's random bytes and the seed that is there (tools.md 1.5).
void refresh_random_seed(Deeds& deeds, const fs::path& esp);
// Makes the mixin of the boot secret on the volume at `root`, unless it is whole: another one would
// change the secret. 32 random bytes.
void make_boot_secret_mixin(Deeds& deeds, const fs::path& root);

// Whether `esp` is a file system that is mounted on this machine, and no tree that an image will be
// made of: seeds in an image would be the same on every machine that boots it.
bool is_mounted(const fs::path& esp);

}  // namespace keelson::tool
