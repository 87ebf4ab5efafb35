// SPDX-License-Identifier: MIT
//
// Owns files on a volume (Simple File System): whole-file reads in chunks of at most 1 MiB with the
// size taken once, reads at an offset, directory listings, and the only two writes firmware code
// makes (R15, R16): renaming inside one directory and replacing a file's bytes in place. Paths are
// absolute, with backslashes, at most 260 units. What is read when, and whether to write, is the
// caller's policy.
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/page_list.h"
#include "efi/firmware/handle.h"

struct _EFI_FILE_HANDLE;

namespace keelson::efi {

constexpr std::uint64_t read_chunk = 1_MiB;
constexpr std::size_t longest_path = 260;

// Told after every chunk of a read: to show progress, to look for a key. The watchdog is re-armed
// before each call.
class ReadObserver {
 public:
  virtual void chunk_read(std::uint64_t done, std::uint64_t total) = 0;

 protected:
  ~ReadObserver() = default;
};

// One failed write ends all writing to volumes in this boot (design decision 4). The program owns
// one and passes it to whatever writes.
class WriteGate {
 public:
  bool is_open() const { return open_; }
  void close() { open_ = false; }

 private:
  bool open_ = true;
};

struct FileInfo {
  std::uint64_t size = 0;
  std::uint64_t attributes = 0;
  bool is_read_only() const { return (attributes & 0x01) != 0; }
  bool is_directory() const { return (attributes & 0x10) != 0; }
};

// An open file or directory. Closed when it ends.
class File {
 public:
  File(File&& other) noexcept
      : file_(std::exchange(other.file_, nullptr)), position_(other.position_) {}
  File& operator=(File&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(position_, other.position_);
    return *this;
  }
  ~File();

  Result<FileInfo> info();
  // Fills `out` from byte `at` on. Errors: truncated (the file ends before), firmware.
  Result<> read_at(std::uint64_t at, MutableBytes out, ReadObserver* observer = nullptr);
  // The whole file, which must have exactly the size of `out` (R2). Errors also: malformed (it is
  // longer).
  Result<> read_whole(MutableBytes out, ReadObserver* observer = nullptr);

 private:
  Result<> write_from_start(Bytes content);
  friend class Volume;
  friend class Directory;
  explicit File(_EFI_FILE_HANDLE* file) : file_(file) {}
  static constexpr std::uint64_t unknown_position = ~std::uint64_t{0};
  _EFI_FILE_HANDLE* file_ = nullptr;
  std::uint64_t position_ = 0;  // as the firmware has it
};

struct DirectoryItem {
  std::u16string_view name;  // until the next call of next()
  FileInfo info;
};

// Walks one directory, in the volume's order; "." and ".." are left out.
class Directory {
 public:
  // nullopt at the end. After an error nothing more comes.
  Result<std::optional<DirectoryItem>> next();

 private:
  friend class Volume;
  explicit Directory(File file) : file_(std::move(file)) {}
  File file_;
  bool ended_ = false;
  // From the start large enough for names of 255 units: some firmware skips an item it could not
  // return (VirtualBox).
  alignas(8) std::byte buffer_[1024] = {};
};

struct VolumeState {
  bool read_only = true;
  std::uint64_t free_space = 0;
};

class Volume {
 public:
  // Errors: unsupported (no file system on `device`), firmware.
  static Result<Volume> open(Handle device);
  Volume(Volume&& other) noexcept;
  Volume& operator=(Volume&& other) noexcept;
  ~Volume();

  Handle device() const { return device_; }
  Result<VolumeState> state();

  // All with errors: not_found, unsupported (path too long), firmware.
  Result<File> open_file(std::u16string_view path);
  Result<Directory> open_directory(std::u16string_view path);
  bool exists(std::u16string_view path);
  Result<FileInfo> info(std::u16string_view path);

  // The whole file. Directories and files over `max_size` are refused (unsupported); a file that
  // gives fewer or more bytes than its size said is an error (R2).
  Result<Pages> read_file(std::u16string_view path, std::uint64_t max_size,
                          ReadObserver* observer = nullptr);
  Result<Pages> read_file(std::u16string_view path, std::uint64_t max_size, MemoryLimit limit,
                          ReadObserver* observer);
  // For the many small ones.
  Result<Bytes> read_small_file(std::u16string_view path, std::uint64_t max_size, TextArena& arena);

  // Gives the file at `path` the name `new_name` in its directory, and flushes. Nothing is tried,
  // and the gate stays as it is, if free space is unknown or under 64 KiB, volume or file is
  // read-only, a name or path is too long (denied, with the reason). If the attempt itself fails,
  // the gate is closed; it may still have happened: then the new name exists, the old one does not,
  // and the result is success.
  Result<> rename(WriteGate& gate, std::u16string_view path, std::u16string_view new_name);
  // Puts `content` in the place of all bytes of the file at `path`, and flushes. Nothing is tried,
  // and the gate stays as it is, if the file's size is not that of `content` (nothing is ever made,
  // longer or shorter), or volume or file is read-only (denied). If the attempt itself fails, the
  // gate is closed; the file may then hold old bytes, new ones, or some of both.
  Result<> overwrite(WriteGate& gate, std::u16string_view path, Bytes content);

 private:
  Volume() = default;
  Result<_EFI_FILE_HANDLE*> open_raw(std::u16string_view path, std::uint64_t mode);
  Handle device_ = nullptr;
  _EFI_FILE_HANDLE* root_ = nullptr;
};

// Every volume the firmware knows, in its order.
Result<HandleList> all_volumes();

}  // namespace keelson::efi
