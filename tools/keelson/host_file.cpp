// SPDX-License-Identifier: MIT
//
// File access of the tool; the order of system calls in write_file is what makes it safe on FAT.
#include "tools/keelson/host_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "tools/keelson/failure.h"

namespace keelson::tool {
namespace {

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

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

int open_directory(const fs::path& directory) {
  return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// syncfs writes the sectors, fsync of the directory sends the flush: FAT needs both, in this order.
void sync_directory(const fs::path& directory, int descriptor) {
  if (::syncfs(descriptor) != 0 || ::fsync(descriptor) != 0)
    throw system_failure(directory, "cannot make the change durable");
}

std::string random_suffix() {
  std::array<unsigned char, 8> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Failure("no random bytes from the kernel for a temporary file name");
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// The name under which the new content of a file is written first: ".#NAME" and 16 hex digits.
bool is_stale_temporary(const std::string& name, const std::string& of) {
  const std::string prefix = ".#" + of;
  return name.size() == prefix.size() + 16 && name.starts_with(prefix) &&
         name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string::npos;
}

void remove_stale_temporaries(const fs::path& path) {
  std::error_code ignored;
  std::vector<fs::path> stale;
  for (const auto& item : fs::directory_iterator(directory_of(path), ignored))
    if (is_stale_temporary(item.path().filename().string(), path.filename().string()))
      stale.push_back(item.path());
  for (const auto& item : stale) fs::remove(item, ignored);
}

// A temporary file that vanishes unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& target, unsigned mode)
      : path_(directory_of(target) / (".#" + target.filename().string() + random_suffix())),
        descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                           static_cast<mode_t>(mode))) {
    if (!descriptor_.open()) throw system_failure(path_, "cannot create a temporary file");
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void write(Bytes content) {
    for (std::size_t done = 0; done < content.size();) {
      const ssize_t count = ::write(descriptor_.get(), content.data() + done, content.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw system_failure(path_, "cannot write");
      done += static_cast<std::size_t>(count);
    }
    if (::fsync(descriptor_.get()) != 0) throw system_failure(path_, "cannot write to the disk");
  }
  // What is on the file system is what was meant: a full or failing medium may say otherwise.
  void compare(Bytes content) {
    std::vector<std::byte> chunk(static_cast<std::size_t>(1_MiB));
    std::size_t done = 0;
    if (::lseek(descriptor_.get(), 0, SEEK_SET) != 0) throw system_failure(path_, "cannot read back");
    while (true) {
      const ssize_t count = ::read(descriptor_.get(), chunk.data(), chunk.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw system_failure(path_, "cannot read back");
      if (count == 0) break;
      const auto size = static_cast<std::size_t>(count);
      if (size > content.size() - done || std::memcmp(chunk.data(), content.data() + done, size) != 0)
        throw Failure(path_.string() + ": what was read back differs from what was written");
      done += size;
    }
    if (done != content.size())
      throw Failure(path_.string() + ": the file is shorter than what was written");
  }
  const fs::path& path() const { return path_; }
  void renamed() { path_.clear(); }

 private:
  fs::path path_;
  Descriptor descriptor_;
};

int rename_flags(const fs::path& from, const fs::path& to, unsigned flags) {
  return static_cast<int>(
      ::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

}  // namespace

Buffer read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) throw system_failure(path, "cannot open");
  struct stat state {};
  if (::fstat(file.get(), &state) != 0) throw system_failure(path, "cannot read");
  if (!S_ISREG(state.st_mode)) throw Failure(path.string() + ": not a regular file");
  Buffer content(static_cast<std::size_t>(state.st_size));
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::read(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_failure(path, "cannot read");
    if (count == 0) throw Failure(path.string() + ": became shorter while it was read");
    done += static_cast<std::size_t>(count);
  }
  return content;
}

std::string text_or_file(const std::string& argument) {
  if (!argument.starts_with('@')) return argument;
  return std::string(text_of(read_file(argument.substr(1))));
}

void write_file(const fs::path& path, Bytes content, unsigned mode) {
  const fs::path directory = directory_of(path);
  const Descriptor folder(open_directory(directory));
  if (!folder.open()) throw system_failure(directory, "cannot open the directory");
  remove_stale_temporaries(path);
  TemporaryFile temporary(path, mode);
  temporary.write(content);
  temporary.compare(content);
  sync_directory(directory, folder.get());

  if (rename_flags(temporary.path(), path, RENAME_NOREPLACE) == 0) {
    temporary.renamed();
    sync_directory(directory, folder.get());
    return;
  }
  if (errno == EEXIST) {
    if (rename_flags(temporary.path(), path, RENAME_EXCHANGE) == 0) {
      sync_directory(directory, folder.get());  // the temporary name is now the old file's
      if (::unlink(temporary.path().c_str()) != 0)
        throw system_failure(temporary.path(), "cannot remove the replaced file");
      temporary.renamed();
      sync_directory(directory, folder.get());
      return;
    }
    if (errno != EINVAL) throw system_failure(path, "cannot replace");
  } else if (errno != EINVAL) {
    throw system_failure(path, "cannot rename into place");
  }
  // A file system without these flags: a plain rename is all there is.
  if (::rename(temporary.path().c_str(), path.c_str()) != 0)
    throw system_failure(path, "cannot replace");
  temporary.renamed();
  sync_directory(directory, folder.get());
}

bool write_new_file(const fs::path& path, Bytes content, unsigned mode) {
  if (fs::exists(fs::symlink_status(path))) return false;
  write_file(path, content, mode);
  return true;
}

bool remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    throw system_failure(path, "cannot remove");
  }
  const fs::path directory = directory_of(path);
  const Descriptor folder(open_directory(directory));
  if (!folder.open()) throw system_failure(directory, "cannot open the directory");
  sync_directory(directory, folder.get());
  return true;
}

bool make_directories(const fs::path& root, const fs::path& relative) {
  fs::path path = root;
  bool made = false;
  for (const auto& part : relative) {
    path /= part;
    const auto status = fs::symlink_status(path);
    if (fs::is_symlink(status))
      throw Failure(path.string() + ": is a symbolic link; boot partitions have none, remove it");
    if (fs::is_directory(status)) continue;
    if (::mkdir(path.c_str(), 0755) != 0) throw system_failure(path, "cannot make the directory");
    made = true;
  }
  return made;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "keelson-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw system_failure(name, "cannot make a directory");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace keelson::tool
