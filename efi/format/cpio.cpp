// SPDX-License-Identifier: MIT
//
// Writing "newc" records: a header of hex digits, the name with its NUL, the content, each padded
// to 4 bytes from the start of the archive.
#include "efi/format/cpio.h"

#include <array>

#include "efi/base/hex.h"
#include "efi/base/wire.h"

namespace keelson::cpio {
namespace {

constexpr std::string_view magic = "070701";
constexpr std::size_t field_count = 13;
constexpr std::size_t header_size = magic.size() + 8 * field_count;
// As systemd writes it: unlike in all other records, the hex digit of the name's size is upper
// case.
constexpr std::string_view trailer =
    "070701"
    "00000000"  // ino
    "00000000"  // mode
    "00000000"  // uid
    "00000000"  // gid
    "00000001"  // nlink
    "00000000"  // mtime
    "00000000"  // filesize
    "00000000"  // devmajor
    "00000000"  // devminor
    "00000000"  // rdevmajor
    "00000000"  // rdevminor
    "0000000B"  // namesize
    "00000000"  // check
    "TRAILER!!!";
constexpr std::size_t trailer_size = 124;  // with the NUL and padding
static_assert(trailer.size() == header_size + 10 && trailer_size % 4 == 0);

constexpr std::uint32_t type_directory = 0040000;
constexpr std::uint32_t type_file = 0100000;
constexpr std::uint64_t max_content_size = 0xFFFFFFFF;
constexpr std::size_t max_name_size = 255;
constexpr std::size_t max_path_size = 4095;

constexpr std::uint64_t padded(std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; }

struct Record {
  std::uint32_t inode = 0;
  std::uint32_t mode = 0;
  std::uint32_t content_size = 0;
  std::uint32_t name_size = 0;  // with the NUL
};

std::array<char, header_size> header(const Record& record) {
  const std::array<std::uint32_t, field_count> fields = {record.inode,
                                                         record.mode,
                                                         0,
                                                         0,
                                                         1,  // nlink
                                                         0,  // mtime
                                                         record.content_size,
                                                         0,
                                                         0,
                                                         0,
                                                         0,
                                                         record.name_size,
                                                         0};
  std::array<char, header_size> text{};
  std::size_t at = magic.copy(text.data(), magic.size());
  for (const std::uint32_t field : fields)
    for (unsigned shift = 32; shift != 0; shift -= 4) text[at++] = hex_digit(field >> (shift - 4));
  return text;
}

// The size of the record of a path of `path_size` characters.
std::uint64_t record_size(std::size_t path_size, std::uint64_t content_size) {
  return padded(header_size + path_size + 1) + padded(content_size);
}

Result<> check_content_size(std::uint64_t size) {
  if (size > max_content_size)
    return fail(Errc::unsupported, "file too large for a cpio archive", size);
  return {};
}

// Directories come from our own tables, one component after the other.
Result<> check_directory(std::string_view directory) {
  if (directory.empty() || directory.size() > max_path_size - max_name_size - 1 ||
      directory.front() == '/' || directory.back() == '/' ||
      directory.find("//") != directory.npos || directory.find('\0') != directory.npos)
    return fail(Errc::malformed, "not a directory for a cpio archive");
  return {};
}

}  // namespace

Result<> check_file_name(std::string_view name) {
  if (name.empty() || name.size() > max_name_size)
    return fail(Errc::malformed, "file name empty or too long for an archive", name.size());
  if (name.front() == '.') return fail(Errc::malformed, "file name begins with a dot");
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c < 0x20 || c > 0x7E) return fail(Errc::malformed, "file name is not printable ASCII", i);
    if (c == '/' || c == '\\') return fail(Errc::malformed, "file name with a separator", i);
  }
  return {};
}

Result<std::uint64_t> file_record_size(const Layout& layout, std::string_view name,
                                       std::uint64_t content_size) {
  TRY(check_file_name(name));
  TRY(check_content_size(content_size));
  return record_size(layout.directory.size() + 1 + name.size(), content_size);
}

Result<std::uint64_t> frame_size(const Layout& layout) {
  TRY(check_directory(layout.directory));
  std::uint64_t size = record_size(layout.directory.size(), 0) + trailer_size;
  for (std::size_t i = 0; i < layout.directory.size(); ++i)
    if (layout.directory[i] == '/') size += record_size(i, 0);
  return size;
}

Result<ArchiveWriter> ArchiveWriter::create(const Layout& layout, std::uint64_t size) {
  const std::uint64_t frame = TRY(frame_size(layout));
  if (size < frame)
    return fail(Errc::out_of_memory, "cpio archive smaller than its directories", size);
  ArchiveWriter writer;
  writer.pages_ = TRY(Pages::allocate(size));
  writer.directory_ = layout.directory;
  writer.file_mode_ = type_file | (layout.file_mode & 07777u);
  for (std::size_t i = 0; i < layout.directory.size(); ++i)
    if (layout.directory[i] == '/')
      TRY(writer.append({}, layout.directory.substr(0, i), type_directory | 0555, 0));
  TRY(writer.append({}, layout.directory, type_directory | (layout.directory_mode & 07777u), 0));
  return writer;
}

// Pages are zero, so padding and the NUL need not be written. Room for the trailer always stays.
Result<MutableBytes> ArchiveWriter::append(std::string_view parent, std::string_view name,
                                           std::uint32_t mode, std::uint64_t content_size) {
  const std::size_t path_size = parent.empty() ? name.size() : parent.size() + 1 + name.size();
  const std::uint64_t size = record_size(path_size, content_size);
  if (size > pages_.size() - used_ || pages_.size() - used_ - size < trailer_size)
    return fail(Errc::out_of_memory, "cpio archive is full", used_);

  const MutableBytes room = pages_.mutable_bytes().subspan(static_cast<std::size_t>(used_),
                                                           static_cast<std::size_t>(size));
  const auto head = header({.inode = ++last_inode_,
                            .mode = mode,
                            .content_size = static_cast<std::uint32_t>(content_size),
                            .name_size = static_cast<std::uint32_t>(path_size + 1)});
  Writer writer(room);
  writer.append(bytes_of(std::string_view(head.data(), head.size())));
  if (!parent.empty()) writer.append(bytes_of(parent)).append(bytes_of(std::string_view("/")));
  writer.append(bytes_of(name));
  TRY(writer.done());
  used_ += size;
  return room.subspan(static_cast<std::size_t>(padded(header_size + path_size + 1)),
                      static_cast<std::size_t>(content_size));
}

Result<MutableBytes> ArchiveWriter::add_file(std::string_view name, std::uint64_t content_size) {
  TRY(check_file_name(name));
  TRY(check_content_size(content_size));
  const std::uint64_t before = used_;
  const MutableBytes room = TRY(append(directory_, name, file_mode_, content_size));
  before_last_file_ = before;
  return room;
}

void ArchiveWriter::drop_last_file() {
  if (before_last_file_ == 0) return;  // directories come first: no file was added, or it is gone
  const MutableBytes record =
      pages_.mutable_bytes().subspan(static_cast<std::size_t>(before_last_file_),
                                     static_cast<std::size_t>(used_ - before_last_file_));
  __builtin_memset(record.data(), 0, record.size());
  used_ = before_last_file_;
  before_last_file_ = 0;
  --last_inode_;
}

Result<Pages> ArchiveWriter::finish() {
  Writer writer(pages_.mutable_bytes().subspan(static_cast<std::size_t>(used_)));
  TRY(writer.append(bytes_of(trailer)).append_zeros(trailer_size - trailer.size()).done());
  pages_.shrink(used_ + trailer_size);
  return std::move(pages_);
}

Result<Pages> write_archive(const Layout& layout, std::span<const File> files) {
  std::uint64_t size = TRY(frame_size(layout));
  for (const File& file : files) {
    const auto sum =
        checked_add(size, TRY(file_record_size(layout, file.name, file.content.size())));
    if (!sum) return fail(Errc::out_of_memory, "cpio archive too large");
    size = *sum;
  }
  ArchiveWriter writer = TRY(ArchiveWriter::create(layout, size));
  for (const File& file : files) {
    const MutableBytes room = TRY(writer.add_file(file.name, file.content.size()));
    if (!room.empty()) __builtin_memcpy(room.data(), file.content.data(), room.size());
  }
  return writer.finish();
}

Result<Pages> write_archive(const Layout& layout, const File& file) {
  return write_archive(layout, std::span(&file, 1));
}

}  // namespace keelson::cpio
