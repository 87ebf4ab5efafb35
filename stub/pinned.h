// SPDX-License-Identifier: MIT
//
// Owns reading the files that a thin UKI pins (stub.md 11, design decision 5): each once, from the
// volume that the image came from, hashed in the buffer that is used afterwards. With Secure Boot
// on or off, and before the first event of PCR 11, so that an image whose files are not its own is
// neither measured nor started.
#pragma once

#include "efi/firmware/clock.h"
#include "efi/firmware/image.h"
#include "efi/firmware/log.h"
#include "efi/format/thin_uki.h"

namespace keelson::stub {

struct PinnedFiles {
  Pages kernel;
  Pages initrd;

  // Makes them what `.linux` and `.initrd` stand for. They must outlive `contents`.
  void pin_in(uki::Contents& contents) const {
    contents.pin(UkiSection::kernel, kernel.bytes());
    contents.pin(UkiSection::initrd, initrd.bytes());
  }
};

// Long reads show progress; the watchdog is re-armed while reading and hashing. A file that cannot
// be read or is not the pinned one is told by name, with the reason. Errors, each of which ends the
// boot: EFI_SECURITY_VIOLATION for a file that is not the pinned one, else those of Volume.
Result<PinnedFiles> read_pinned(const efi::Image& self, const thin_uki::Pins& pins,
                                efi::Console& console, const efi::Clock& clock, efi::Log& log);

}  // namespace keelson::stub
