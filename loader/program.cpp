// SPDX-License-Identifier: MIT
//
// What makes the loader a program of the firmware, and only there: its entry in efi/firmware/entry.h
// and the sections that identify it (bootctl reads .sdmagic and .osrel, shim reads .sbat).
#include "efi/firmware/entry.h"
#include "efi/format/identity.h"
#include "loader/main.h"

constinit const keelson::efi::Program keelson::efi::this_program = {u"keelson-boot",
                                                                    keelson::loader::boot};

namespace {

[[gnu::section(".sdmagic"), gnu::used]] constexpr auto magic = keelson::identity::boot_sdmagic;
[[gnu::section(".osrel"), gnu::used]] constexpr auto osrel = keelson::identity::boot_osrel;
[[gnu::section(".sbat"), gnu::used]] constexpr auto sbat = keelson::identity::boot_sbat;

}  // namespace
