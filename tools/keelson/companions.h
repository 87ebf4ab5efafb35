// SPDX-License-Identifier: MIT
//
// Owns collecting on the host what the stub finds beside an image (stub.md 4, 5.1): the same names,
// order, archives and parts of add-ons, by the stub's own pure code, from a tree instead of a
// volume.
#pragma once

#include <vector>

#include "stub/gathered.h"
#include "tools/keelson/host_file.h"

namespace keelson::tool {

struct Companions {
  stub::Gathered gathered;
  std::vector<Buffer> loaded;  // add-ons that the firmware loads, and so measures into PCR 4
};

// The image whose companions are looked for.
struct CompanionTarget {
  std::u16string_view path;  // on its volume
  Bytes uname;               // its `.uname`, empty if it has none
  bool secure_boot = false;
};

// What lies on the volume with the root `root` beside the image and in the directories
// for all images. What firmware or stub would leave out is left out with a warning: add-ons that
// are no sound images, and with Secure Boot those without any signature. Failure: a directory or
// file that is there cannot be read, or is a symbolic link's.
Companions gather_companions(const fs::path& root, const CompanionTarget& target);

}  // namespace keelson::tool
