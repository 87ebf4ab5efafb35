// SPDX-License-Identifier: MIT
//
// Running other programs; see child.h.
#include "tools/keelson/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "tools/keelson/failure.h"
#include "tools/keelson/interruption.h"

extern char** environ;

namespace keelson::tool {
namespace {

// The child starts with the reactions to signals that every program expects.
class SpawnSettings {
 public:
  explicit SpawnSettings(const std::string& log) {
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGPIPE, SIGXFSZ}) ::sigaddset(&signals, signal);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(), O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// Exit status of a child; it ends when we are to end.
int exit_status_of(pid_t child, const std::string& name) {
  try {
    wait_for_end(child);
  } catch (const Interrupted&) {
    ::kill(child, SIGTERM);
    throw;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Failure(name + ": lost while it ran");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

FileInMemory::FileInMemory() : descriptor_(::memfd_create("keelson", 0)) {
  if (descriptor_ < 0) throw Failure(std::string("no file in memory: ") + std::strerror(errno));
}

FileInMemory::~FileInMemory() { ::close(descriptor_); }

void FileInMemory::write(Bytes content) {
  for (std::size_t done = 0; done < content.size();) {
    stop_if_interrupted();
    const ssize_t count = ::write(descriptor_, content.data() + done, content.size() - done);
    if (count < 0 && errno != EINTR)
      throw Failure(std::string("no memory for a file to sign: ") + std::strerror(errno));
    if (count > 0) done += static_cast<std::size_t>(count);
  }
}

int run_child(const std::vector<std::string>& words, const FileInMemory& log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const SpawnSettings settings(log.path());
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, arguments[0], settings.actions(), settings.attributes(),
                                   arguments.data(), environ);
  if (error == ENOENT) return program_not_found;
  if (error != 0) throw Failure(words[0] + ": cannot start: " + std::strerror(error));
  return exit_status_of(child, words[0]);
}

std::string reason_in(const FileInMemory& file) {
  const Buffer log = read_file(file.path());
  std::string_view rest = text_of(log);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (!line.empty() && !line.starts_with("warning:")) return std::string(line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return "it gave no reason";
}

}  // namespace keelson::tool
