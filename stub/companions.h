// SPDX-License-Identifier: MIT
//
// Owns reading companion files into the archives that the kernel gets (stub.md 5.1): each file
// once, straight into its place. Names and order are companion_files.h's, the format
// efi/format/cpio.h's.
#pragma once

#include "stub/companion_files.h"
#include "stub/companion_layout.h"
#include "stub/screen.h"

namespace keelson::stub {

// The directories of the own volume that have companion files.
struct CompanionDirectories {
  CompanionDirectory own;          // of this image alone
  CompanionDirectory credentials;  // of all images
  CompanionDirectory extensions;

  const CompanionDirectory& at(CompanionPlace place) const {
    switch (place) {
      case CompanionPlace::own:
        break;
      case CompanionPlace::credentials:
        return credentials;
      case CompanionPlace::extensions:
        return extensions;
    }
    return own;
  }
};

// All archives, by ArchiveKind. None where there is no file of its kind. A file that cannot be read
// is left out with a message, and so is an archive with a file that its format cannot hold, or that
// is too large for the memory. Error: out_of_memory (of the lists).
Result<std::array<Pages, archive_kinds>> read_archives(efi::Volume& volume,
                                                       const CompanionDirectories& directories,
                                                       Screen& screen);

}  // namespace keelson::stub
