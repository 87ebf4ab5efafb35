// SPDX-License-Identifier: MIT
//
// Owns thin UKIs on the host (efi/format/thin_uki.h): under which names kernel and initrd are put
// beside the image, writing them, and finding them again to know what will be measured.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "efi/base/digest.h"
#include "efi/format/uki.h"
#include "tools/keelson/host_file.h"

namespace keelson::tool {

// Where pinned files go on the volume if nobody says otherwise.
inline constexpr const char* default_pins_directory = "EFI/keelson-pinned";

// The root of the volume that an image lies on: what stands before `EFI/Linux` in its path, in
// either case; else the image's own directory.
fs::path volume_root_of(const fs::path& image);

// "\DIRECTORY\STEM-VERSION-HASH.efi": the hash makes the name the content's. VERSION is left out if
// empty; characters that FAT forbids become '_'. Failure: `directory` is no path on a volume.
std::string pinned_path(const std::string& directory, const std::string& stem,
                        const std::string& version, const Digest& sha256);

// A file that is to be put beside a thin UKI.
struct FileBeside {
  std::string path;  // on its volume, as pinned_path made it
  Bytes content;
};

// Whether `content` lies at `path`, as pinned_path made it, below `root` already. Failure:
// something else is there under this name.
bool is_pinned_there(const fs::path& root, const std::string& path, Bytes content);
// Writes it, with the directories that are missing, if it is not there.
void write_pinned(const fs::path& root, const std::string& path, Bytes content);

// The files that stand for sections of a thin UKI; none for a full one.
struct PinnedFiles {
  std::optional<Bytes> kernel, initrd;

  // What the sections stand for then.
  uki::Contents contents(const uki::Uki& uki, const uki::Effective& sections) const;
};
// Where pinned files are: on the volume with the root `root`, or still to be written to it.
struct PinnedPlaces {
  fs::path root;
  std::vector<FileBeside> unwritten;
};
// Those that `sections` pin; `keep` keeps the bytes of a file that was read. Failure: a file is not
// there or not the pinned one; the pins are not complete.
PinnedFiles read_pinned_files(const uki::Uki& uki, const uki::Effective& sections,
                              const std::string& image, const PinnedPlaces& places,
                              const std::function<Bytes(Buffer)>& keep);

}  // namespace keelson::tool
