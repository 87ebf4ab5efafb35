// SPDX-License-Identifier: MIT
//
// Owns reading the files that a thin UKI pins (stub.md 11, design decision 5): each once, from the
// volume that the image came from, hashed in the buffer that is used afterwards. With Secure Boot
// on or off, and before the first event of PCR 11, so that an image whose files are not its own is
// neither measured nor started.
#pragma once

#include "efi/firmware/image.h"
#include "efi/format/thin_uki.h"
#include "stub/screen.h"

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

// Long reads show progress; the watchdog is re-armed while reading and hashing. Errors, each of
// which ends the boot and leaves the file's path as the subject: EFI_SECURITY_VIOLATION for a file
// that is not the pinned one, else those of Volume.
Result<PinnedFiles> read_pinned(const efi::Image& self, const thin_uki::Pins& pins,
                                Screen& screen);

}  // namespace keelson::stub
