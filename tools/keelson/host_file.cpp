// SPDX-License-Identifier: MIT
//
// File access of the tool; the order of system calls in write_file is what makes it safe on FAT.
#include "tools/keelson/host_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "efi/base/text.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/interruption.h"

namespace keelson::tool {
namespace {

constexpr std::size_t largest_step = 1 << 20;          // between two looks at signals
constexpr std::size_t largest_unsized_file = 1 << 16;  // files of /proc say that they are empty
constexpr std::size_t random_digits = 16;

Failure system_failure(const fs::path& path, const char* doing) {
  return Failure(path.string() + ": " + doing + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

// A directory whose changes can be made durable.
class Folder {
 public:
  explicit Folder(const fs::path& file)
      : path_(file.has_parent_path() ? file.parent_path() : fs::path(".")),
        descriptor_(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!descriptor_.open()) throw system_failure(file, "cannot open its directory");
  }
  const fs::path& path() const { return path_; }
  // syncfs writes the sectors, fsync sends the flush: FAT needs both, in this order.
  void sync() const {
    if (::syncfs(descriptor_.get()) != 0 || ::fsync(descriptor_.get()) != 0)
      throw system_failure(path_, "cannot make the change durable");
  }

 private:
  fs::path path_;
  Descriptor descriptor_;
};

// Calls `step(done)` until it has dealt with `size` bytes, or answers 0 (end of file).
template <class Step>
std::size_t in_steps(std::size_t size, const fs::path& path, const char* doing, Step&& step) {
  std::size_t done = 0;
  while (done < size) {
    stop_if_interrupted();
    const ssize_t count = step(done, std::min(size - done, largest_step));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_failure(path, doing);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

// The new content of a file is written under the name ".#NAME" and 16 hex digits first.
std::string temporary_prefix(const fs::path& target) { return ".#" + target.filename().string(); }

std::string random_hex() {
  std::array<unsigned char, random_digits / 2> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Failure("no random bytes from the kernel for the name of a temporary file");
  return hex(std::as_bytes(std::span(bytes)));
}

// What earlier runs left that a power cut or SIGKILL ended.
void remove_stale_temporaries(const fs::path& directory, const fs::path& target) {
  const std::string prefix = temporary_prefix(target);
  std::error_code ignored;
  std::vector<fs::path> stale;
  for (const auto& item : fs::directory_iterator(directory, ignored)) {
    const std::string name = item.path().filename().string();
    if (name.size() == prefix.size() + random_digits && name.starts_with(prefix) &&
        name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string::npos)
      stale.push_back(item.path());
  }
  for (const auto& item : stale) fs::remove(item, ignored);
}

// A file beside `target` that vanishes unless it took its place. Failures name the target.
class TemporaryFile {
 public:
  TemporaryFile(const Folder& folder, const fs::path& target, Readers readers)
      : target_(target),
        path_(folder.path() / (temporary_prefix(target) + random_hex())),
        descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                           readers == Readers::all ? 0644 : 0600)) {
    if (!descriptor_.open()) {
      path_.clear();
      throw system_failure(target, "cannot create a file in its directory");
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void write(Bytes content) {
    in_steps(content.size(), target_, "cannot write", [&](std::size_t done, std::size_t most) {
      return ::write(descriptor_.get(), content.data() + done, most);
    });
    if (::fsync(descriptor_.get()) != 0) throw system_failure(target_, "cannot write to the disk");
  }
  // What is on the file system is what was meant: a failing medium may say otherwise.
  void compare(Bytes content) {
    Buffer chunk(largest_step);
    bool equal = true;
    const std::size_t size = in_steps(
        content.size(), target_, "cannot read back", [&](std::size_t done, std::size_t most) {
          const ssize_t count =
              ::pread(descriptor_.get(), chunk.data(), most, static_cast<off_t>(done));
          if (count > 0)
            equal &= std::memcmp(chunk.data(), content.data() + done,
                                 static_cast<std::size_t>(count)) == 0;
          return count;
        });
    if (size != content.size() || !equal)
      throw Failure(target_.string() +
                    ": not replaced: what was read back differs from what was "
                    "written; is the disk failing?");
  }

  // Gives the content its name, in place of a file that has it already.
  void publish(const Folder& folder) {
    if (rename(RENAME_NOREPLACE)) {
      path_.clear();
    } else if (errno == EEXIST && rename(RENAME_EXCHANGE)) {
      folder.sync();  // the temporary name is the old file's now
      if (::unlink(path_.c_str()) != 0) throw system_failure(path_, "cannot remove the old file");
      path_.clear();
    } else if (errno == EINVAL && ::rename(path_.c_str(), target_.c_str()) == 0) {
      path_.clear();  // a file system without these flags: a plain rename is all there is
    } else {
      throw system_failure(target_, "cannot rename into place");
    }
    folder.sync();
  }

 private:
  bool rename(unsigned flags) const {
    return ::syscall(SYS_renameat2, AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), flags) == 0;
  }

  fs::path target_;
  fs::path path_;  // empty: there is none any more
  Descriptor descriptor_;
};

// Linux, Documentation/admin-guide/devices.txt: /dev/null.
bool is_null_device(const struct stat& state) {
  return S_ISCHR(state.st_mode) && state.st_rdev == makedev(1, 3);
}

void refuse_link(const fs::path& path) {
  if (fs::is_symlink(fs::symlink_status(path)))
    throw Failure(path.string() + ": " + no_links_there + ", remove it");
}

}  // namespace

Buffer read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) throw system_failure(path, "cannot open");
  struct stat state{};
  if (::fstat(file.get(), &state) != 0) throw system_failure(path, "cannot read");
  if (is_null_device(state)) return {};
  if (!S_ISREG(state.st_mode)) throw Failure(path.string() + ": not a regular file");
  const auto size = static_cast<std::size_t>(state.st_size);
  if (size > 4_GiB) throw Failure(path.string() + ": larger than 4 GiB, which no EFI program is");
  Buffer content(size == 0 ? largest_unsized_file : size);
  const std::size_t count =
      in_steps(content.size(), path, "cannot read", [&](std::size_t done, std::size_t most) {
        return ::read(file.get(), content.data() + done, most);
      });
  if (count < size) throw Failure(path.string() + ": became shorter while it was read");
  if (size == 0 && count == content.size())
    throw Failure(path.string() + ": does not tell its size, and is large");
  content.resize(count);
  return content;
}

bool is_there(const fs::path& path) { return fs::exists(fs::symlink_status(path)); }

fs::path find_ignoring_case(const fs::path& root, const fs::path& relative) {
  fs::path path = root;
  for (const fs::path& part : relative) {
    fs::path found = path / part;
    if (!is_there(found)) {
      std::error_code error;
      for (const auto& item : fs::directory_iterator(path, error))
        if (equal_ignoring_case(item.path().filename().string(), part.string()))
          found = item.path();
    }
    refuse_link(found);
    path = std::move(found);
  }
  return path;
}

fs::path find_on_volume(const fs::path& root, std::u16string_view esp_path) {
  std::string path = utf8(esp_path);
  std::ranges::replace(path, '\\', '/');
  return find_ignoring_case(root, fs::path(path).relative_path());
}

void write_file(const fs::path& path, Bytes content, Readers readers) {
  const fs::file_status status = fs::symlink_status(path);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw Failure(path.string() + ": is no regular file, and only such are replaced");
  const Folder folder(path);
  remove_stale_temporaries(folder.path(), path);
  TemporaryFile temporary(folder, path, readers);
  temporary.write(content);
  temporary.compare(content);
  folder.sync();
  stop_if_interrupted();
  temporary.publish(folder);
}

void refuse_as_output(const fs::path& output, const std::vector<std::string>& inputs) {
  std::error_code unreadable;  // who reads it says so
  if (!fs::exists(output, unreadable)) return;
  const auto refuse_if_same = [&output](const fs::path& input) {
    std::error_code missing;
    if (fs::equivalent(output, input, missing))
      throw Failure(output.string() + ": is an input as well (" + input.string() +
                    ") and would be lost; give another --output=");
  };
  for (const std::string& input : inputs) {
    refuse_if_same(input);
    for (auto item = fs::recursive_directory_iterator(input, unreadable);
         !unreadable && item != fs::recursive_directory_iterator(); item.increment(unreadable))
      refuse_if_same(item->path());
  }
}

bool remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    throw system_failure(path, "cannot remove");
  }
  const Folder folder(path);
  remove_stale_temporaries(folder.path(), path);
  folder.sync();
  return true;
}

bool make_directory(const fs::path& path) {
  refuse_link(path);
  if (fs::is_directory(fs::symlink_status(path))) return false;
  if (::mkdir(path.c_str(), 0755) != 0) throw system_failure(path, "cannot make the directory");
  return true;
}

}  // namespace keelson::tool
