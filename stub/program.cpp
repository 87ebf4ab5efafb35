// SPDX-License-Identifier: MIT
//
// What makes the stub a program of the firmware, and only there: its entry in efi/firmware/entry.h
// and the sections that identify it (bootctl reads .sdmagic, shim reads .sbat).
#include "efi/firmware/entry.h"
#include "efi/format/identity.h"
#include "stub/main.h"

constinit const keelson::efi::Program keelson::efi::this_program = {u"keelson-stub",
                                                                    keelson::stub::boot};

namespace {

[[gnu::section(".sdmagic"), gnu::used]] constexpr auto magic = keelson::identity::stub_sdmagic;
[[gnu::section(".sbat"), gnu::used]] constexpr auto sbat = keelson::identity::stub_sbat;

}  // namespace
