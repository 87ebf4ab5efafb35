// SPDX-License-Identifier: MIT
//
// Makes archives of companion files; see companions.h.
#include "stub/companions.h"

#include "efi/firmware/read_progress.h"
#include "stub/companion_layout.h"

namespace keelson::stub {
namespace {

// Open from the moment its size was asked for until it was read.
struct OpenFile {
  std::u16string_view name;
  std::string_view ascii_name;
  efi::File file;
  std::uint64_t size = 0;
};

class ArchiveReader {
 public:
  ArchiveReader(efi::Volume& volume, const ArchiveSource& row, const CompanionDirectory& directory,
                Screen& screen)
      : volume_(volume), row_(row), directory_(directory), screen_(screen) {}

  Result<Pages> read() {
    for (const CompanionFile& file : directory_.files)
      if (file.kind == row_.kind) TRY(open(file.name));
    if (!found_ || too_large_for_format_) return Pages();
    auto archive = create();
    if (!archive.has_value()) {
      screen_.log.tell(Severity::warning, "no file of ", directory_.path, " for /",
                       row_.layout.directory, " is used: ", archive.error());
      return Pages();
    }
    for (OpenFile& file : files_) TRY(add(file, *archive));
    return archive->finish();
  }

 private:
  Result<> open(std::u16string_view name) {
    found_ = true;
    const auto path = TRY(path_of(directory_, name, texts_));
    auto file = volume_.open_file(path);
    if (!file.has_value()) return skip(name, file.error());
    const auto info = file->info();
    if (!info.has_value()) return skip(name, info.error());
    // It was none when the directory was listed, but a volume may say something else each time.
    if (info->is_directory()) return skip(name, {Errc::unsupported, "it is a directory", 0});
    if (info->size > largest_in_archive) {
      too_large_for_format_ = true;
      screen_.log.tell(Severity::warning, directory_.path, "\\", name,
                       " is too large for an archive: no file for /", row_.layout.directory,
                       " is used");
      return {};
    }
    if (info->size > largest_companion)
      return skip(name, {Errc::unsupported, "file too large", info->size});
    return files_.push({.name = name,
                        .ascii_name = TRY(ascii_companion_name(name, texts_)),
                        .file = std::move(*file),
                        .size = info->size});
  }

  // Fails where the files say that they are larger than the memory, as damaged ones do: no reason
  // not to boot.
  Result<cpio::ArchiveWriter> create() const {
    return cpio::ArchiveWriter::create(row_.layout, TRY(size()));
  }

  Result<std::uint64_t> size() const {
    std::uint64_t sum = TRY(cpio::frame_size(row_.layout));
    for (const OpenFile& file : files_) {
      const auto more =
          checked_add(sum, TRY(cpio::file_record_size(row_.layout, file.ascii_name, file.size)));
      if (!more) return fail(Errc::out_of_memory, "companion files too large");
      sum = *more;
    }
    return sum;
  }

  Result<> add(OpenFile& file, cpio::ArchiveWriter& archive) {
    const MutableBytes room = TRY(archive.add_file(file.ascii_name, file.size));
    efi::ReadProgress progress(screen_.console, screen_.clock, file.name);
    const Result<> read = file.file.read_whole(room, &progress);
    if (read.has_value()) return {};
    archive.drop_last_file();
    return skip(file.name, read.error());
  }

  Result<> skip(std::u16string_view name, const Error& error) {
    screen_.log.tell(Severity::warning, "skipping ", directory_.path, "\\", name, ": ", error);
    return {};
  }

  efi::Volume& volume_;
  const ArchiveSource& row_;
  const CompanionDirectory& directory_;
  Screen& screen_;
  PageList<OpenFile> files_;
  TextArena texts_;
  bool found_ = false;
  bool too_large_for_format_ = false;
};

}  // namespace

Result<std::array<Pages, archive_kinds>> read_archives(efi::Volume& volume,
                                                       const CompanionDirectories& directories,
                                                       Screen& screen) {
  std::array<Pages, archive_kinds> archives;
  for (std::size_t i = 0; i < archive_kinds; ++i) {
    const ArchiveSource& source = archive_sources[i];
    ArchiveReader reader(volume, source, directories.at(source.place), screen);
    archives[i] = TRY(reader.read());
  }
  return archives;
}

}  // namespace keelson::stub
