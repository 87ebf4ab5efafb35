// SPDX-License-Identifier: MIT
//
// Owns the tool's access to files: whole reads, and writes that survive a power cut on FAT
// (temporary file, fsync, syncfs, fsync of the directory; an existing file is replaced with
// RENAME_EXCHANGE and the old one unlinked, each step synced), and names as FAT sees them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "efi/base/bytes.h"

namespace keelson::tool {

namespace fs = std::filesystem;
using Buffer = std::vector<std::byte>;

// The whole regular file; of /dev/null nothing. Failure names it; a FIFO or directory is refused
// without blocking.
Buffer read_file(const fs::path& path);
// Whether anything of that name is there, be it a broken link.
bool is_there(const fs::path& path);
// Why symbolic links in the tree of a boot partition are not followed: firmware sees none.
inline constexpr const char* no_links_there = "is a symbolic link; boot partitions have none";
// The file below `root` that FAT takes for `relative`, ignoring case; names that are not there stay
// as they are. Failure: a symbolic link, be it on the way, which may lead out of the tree.
fs::path find_ignoring_case(const fs::path& root, const fs::path& relative);
// The same for a path as firmware code has it: `\EFI\Linux\a.efi`.
fs::path find_on_volume(const fs::path& root, std::u16string_view esp_path);

// Replaces or creates `path`, which is nothing or a regular file. Until the new content is whole
// the old one stays; on failure or a signal no temporary file is left.
enum class Readers { all, owner };  // of a file that is made (FAT itself has no such rights)
void write_file(const fs::path& path, Bytes content, Readers readers = Readers::all);
// Failure if writing `output` would replace one of `inputs`, whatever names or links lead to it: a
// regular file, or anything below a directory. Empty names and what is not there count for nothing.
void refuse_as_output(const fs::path& output, const std::vector<std::string>& inputs);
// Removes `path` and makes that durable; answers whether it was there.
bool remove_file(const fs::path& path);
// Makes one directory if it is not there; answers whether it did. Symbolic links are refused.
bool make_directory(const fs::path& path);

}  // namespace keelson::tool
