// SPDX-License-Identifier: MIT
//
// Owns the tool's access to files: whole reads, and writes that survive a power cut on FAT
// (temporary file, fsync, syncfs, fsync of the directory; an existing file is replaced with
// RENAME_EXCHANGE and the old one unlinked, each step synced).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "efi/base/bytes.h"

namespace keelson::tool {

namespace fs = std::filesystem;
using Buffer = std::vector<std::byte>;

// The whole regular file. Failure names it; a FIFO or directory is refused without blocking.
Buffer read_file(const fs::path& path);
// TEXT as given, or the content of the file for "@FILE".
std::string text_or_file(const std::string& argument);

// Replaces or creates `path`. Until the new content is whole the old one stays; on failure no
// temporary file is left. `mode` as for open(2).
void write_file(const fs::path& path, Bytes content, unsigned mode = 0644);
// Creates `path` only if nothing is there; answers whether it did.
bool write_new_file(const fs::path& path, Bytes content, unsigned mode = 0644);
// Removes `path` and makes that durable; answers whether it was there.
bool remove_file(const fs::path& path);
// mkdir with parents below `root`; refuses to cross symbolic links. Answers whether it made any.
bool make_directories(const fs::path& root, const fs::path& relative);

// A directory that is removed with its content at the end of the scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace keelson::tool
