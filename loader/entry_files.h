// SPDX-License-Identifier: MIT
//
// Owns reading the entries of a volume into the list: which files, opened and read once each, of
// UKIs only headers and texts (loader.md 1 to 3). What is read here is shown and never decides
// anything at the start. What the texts mean is efi/format's.
#pragma once

#include <string_view>

#include "efi/base/diagnostics.h"
#include "efi/firmware/volume.h"
#include "efi/format/entry_list.h"

namespace keelson::loader {

// Adds what `\EFI\Linux` and `\loader\entries` of `volume` hold. A directory or file that cannot be
// read is left out with a line in the log. `own_path`: an `efi` entry that would start ourselves is
// left out; empty if unknown or on another volume. Error: out_of_memory.
Result<> add_entries_of(efi::Volume& volume, EntrySource source, std::u16string_view own_path,
                        EntryList& list, Diagnostics& log);

}  // namespace keelson::loader
