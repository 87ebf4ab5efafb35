// SPDX-License-Identifier: MIT
//
// Owns what signals do to the tool. SIGINT, SIGTERM and SIGHUP are remembered; the next long step
// notices, its temporary files go as the stack unwinds, and the program ends by that signal. A
// second one ends it at once. A full pipe or a size limit is an error of the write, not a signal.
#pragma once

#include <sys/types.h>

#include <exception>

namespace keelson::tool {

class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  const char* what() const noexcept override { return "interrupted"; }
  // Ends the program as the signal would have.
  [[noreturn]] void end_program() const;

 private:
  int signal_;
};

// Once, at the start of the program.
void watch_for_signals();
// Throws Interrupted if a signal came.
void stop_if_interrupted();
// Waits until the child process has ended (it is still to be reaped), or throws Interrupted.
void wait_for_end(pid_t child);

}  // namespace keelson::tool
