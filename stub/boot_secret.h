// SPDX-License-Identifier: MIT
//
// Owns the boot secret (stub.md 8.4): a value that is the same in every boot of one system, unknown
// to other systems, and readable by nobody once the firmware is left except through
// /.extra/boot-secret. How it is derived is efi/format/random_seed.h.
#pragma once

#include <optional>

#include "efi/base/diagnostics.h"
#include "efi/base/secret.h"
#include "efi/firmware/image.h"
#include "efi/firmware/secret_pages.h"

namespace keelson::stub {

// `os_release` is the content of the .osrel section that counts; the secret depends on the id in
// it. Comes after pass_random_seed, whose table a first secret is made of. nullopt without a
// volume, seed table or mixin file, or if the variable is not what we would have written: never
// fatal, the reason is a line in the log unless something is simply not there. Whoever copies the
// bytes (into the archive) wipes the copy.
std::optional<Secret> boot_secret(const efi::Image& self, Bytes os_release,
                                  Diagnostics& diagnostics);

// The same as the archive that the initrd gets: /.extra/boot-secret, readable by root alone. Empty
// without a secret.
void archive_boot_secret(const efi::Image& self, Bytes os_release, efi::SecretPages& archive,
                         Diagnostics& diagnostics);

}  // namespace keelson::stub
