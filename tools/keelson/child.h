// SPDX-License-Identifier: MIT
//
// Owns running other programs (sbsign, openssl): on files in memory, with nothing on the terminal,
// ended when we are ended by a signal.
#pragma once

#include <string>
#include <vector>

#include "tools/keelson/host_file.h"

namespace keelson::tool {

// A file without a name, which a child process opens by its number: nothing is left behind.
class FileInMemory {
 public:
  // Failure: the kernel gives none.
  FileInMemory();
  ~FileInMemory();
  FileInMemory(const FileInMemory&) = delete;
  FileInMemory& operator=(const FileInMemory&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  // Appends. Failure: no memory.
  void write(Bytes content);

 private:
  int descriptor_;
};

// The exit status of a not found program.
inline constexpr int program_not_found = 127;

// Runs the program words[0] of $PATH, with what it prints on both outputs collected in `log`;
// answers its exit status, 128 if a signal ended it. Failure: cannot be started.
int run_child(const std::vector<std::string>& words, const FileInMemory& log);

// For a person: the first line of a log that is no warning (libraries add more behind it).
std::string reason_in(const FileInMemory& log);

}  // namespace keelson::tool
