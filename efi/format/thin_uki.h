// SPDX-License-Identifier: MIT
//
// Owns thin UKIs in Lanzaboote's format 1.1 (stub.md 11): a signed image whose `.linux` and
// `.initrd` are paths of files on its own volume, whose SHA-256 the sections `.linuxh` and
// `.initrdh` hold. What they require and when a file is the pinned one. Reading the files is
// stub/pinned.h's and the tool's.
#pragma once

#include "efi/base/digest.h"
#include "efi/base/esp_path.h"
#include "efi/format/uki.h"

namespace keelson::thin_uki {

// A file that the image names and whose content it fixes.
struct Pin {
  UkiSection section;                  // which the file stands for
  EspPath path{};                      // on the volume that the image was loaded from
  Digest hash{HashAlgorithm::sha256};  // of the whole file
};

struct Pins {
  Pin kernel{.section = UkiSection::kernel};
  Pin initrd{.section = UkiSection::initrd};
};

// What these sections pin; nullopt for a full UKI: one with neither `.linuxh` nor `.initrdh`. A
// profile may replace or mask the sections as any others; what counts in the end must be complete.
// Errors, each of which must stop the boot: not_found (`.linux`, `.initrd`, `.cmdline` or one of
// the hashes is missing), malformed (a hash that is not 32 bytes; a path that does not begin with a
// backslash, or holds a slash, a NUL, bad UTF-8 or what EspPath refuses), truncated, out_of_memory.
// `where` is the position of the section in uki_sections. The paths live in `arena`.
Result<std::optional<Pins>> find_pins(const uki::Uki& uki, const uki::Effective& sections,
                                      TextArena& arena);

// Whether `hash`, of the whole file, is the pinned one. Error: denied.
Result<> check(const Pin& pin, const Digest& hash);

}  // namespace keelson::thin_uki
