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

// What lies on the volume with the root `root` beside the image `image_path` and in the directories
// for all images. `image_uname`: its `.uname`, empty if it has none. What the stub would leave out
// is left out with a warning. Failure: a directory or file that is there cannot be read.
Companions gather_companions(const fs::path& root, std::u16string_view image_path,
                             Bytes image_uname);

}  // namespace keelson::tool
