// SPDX-License-Identifier: MIT
//
// Owns the archives that are put before the kernel as initrd: cpio "newc"
// (Documentation/driver-api/ early-userspace/buffer-format.rst of Linux), byte for byte as
// systemd-stub writes them, because they are measured (stub.md 5.2 in the reference of the
// behaviour; vectors in the tests). Which files go where is left to the caller.
#pragma once

#include <string_view>

#include "efi/base/pages.h"

namespace keelson::cpio {

// Where the files of one archive lie. Each parent of `directory` is recorded with mode 0555 first.
struct Layout {
  std::string_view directory;           // ".extra/credentials": no leading or trailing slash
  std::uint16_t directory_mode = 0555;  // permission bits
  std::uint16_t file_mode = 0444;
};

// Names come from a volume and end up in an initrd: 1 to 255 printable ASCII characters, no
// separator, no leading dot. Error: malformed.
Result<> check_file_name(std::string_view name);

// What one file adds to an archive. Errors: malformed (name), unsupported (content of 4 GiB or
// more).
Result<std::uint64_t> file_record_size(const Layout& layout, std::string_view name,
                                       std::uint64_t content_size);
// What an archive takes without its files. Error: malformed (directory).
Result<std::uint64_t> frame_size(const Layout& layout);

// Writes an archive into one block of pages whose size is known before: frame_size plus the
// file_record_size of every file. Contents may be read straight into the archive.
class ArchiveWriter {
 public:
  // The text of layout.directory must live as long as the writer. Errors: malformed (directory),
  // out_of_memory.
  static Result<ArchiveWriter> create(const Layout& layout, std::uint64_t size);

  // The zeroed room for the content of the next file, to be filled by the caller. Errors:
  // malformed (name), unsupported (size), out_of_memory (past the announced size); the archive is
  // then as before.
  Result<MutableBytes> add_file(std::string_view name, std::uint64_t content_size);
  // Takes the file added last out again, for one that could not be read. Once per file.
  void drop_last_file();
  // The archive with its trailer; shorter than announced if files were left out. Call once.
  Result<Pages> finish();

 private:
  ArchiveWriter() = default;
  Result<MutableBytes> append(std::string_view parent, std::string_view name, std::uint32_t mode,
                              std::uint64_t content_size);

  Pages pages_;
  std::string_view directory_;
  std::uint32_t file_mode_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t before_last_file_ = 0;  // what drop_last_file goes back to; 0: nothing to drop
  std::uint32_t last_inode_ = 0;
};

struct File {
  std::string_view name;
  Bytes content;
};
// An archive of files that are in memory already, in the given order. Errors as ArchiveWriter.
Result<Pages> write_archive(const Layout& layout, std::span<const File> files);
// An archive with one file, ".extra/os-release" and the like.
Result<Pages> write_archive(const Layout& layout, const File& file);

}  // namespace keelson::cpio
