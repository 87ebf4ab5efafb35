// SPDX-License-Identifier: MIT
//
// Owns listing the directories in which companions of a UKI lie (stub.md 4, 5.1): each is walked
// once, what is of no kind or has a hostile name is left out, the rest is sorted.
#pragma once

#include "efi/firmware/log.h"
#include "efi/firmware/volume.h"
#include "efi/format/companion_names.h"

namespace keelson::stub {

struct CompanionFile {
  std::u16string_view name;  // as it is spelled on disk
  CompanionKind kind = CompanionKind::addon;
};

struct CompanionDirectory {
  std::u16string_view path;
  PageList<CompanionFile> files;  // in the order that counts
};

// Files of those kinds. A directory that is not there is empty without a word; one that cannot be
// read to its end is empty with a message. Error: out_of_memory. Texts live in `texts`.
Result<CompanionDirectory> list_companions(efi::Volume& volume, std::u16string_view path,
                                           std::span<const CompanionKind> kinds, TextArena& texts,
                                           efi::Log& log);

// The file `name` in `directory`. Error: out_of_memory.
Result<std::u16string_view> path_of(const CompanionDirectory& directory, std::u16string_view name,
                                    TextArena& texts);

}  // namespace keelson::stub
