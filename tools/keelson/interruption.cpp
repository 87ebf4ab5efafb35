// SPDX-License-Identifier: MIT
//
// Signals of the tool.
#include "tools/keelson/interruption.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

namespace keelson::tool {
namespace {

constexpr std::array ending_signals = {SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t signal_seen = 0;

void remember(int signal) { signal_seen = signal; }

}  // namespace

void watch_for_signals() {
  for (const int signal : ending_signals) {
    struct sigaction before{};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;  // nohup
    struct sigaction action{};
    action.sa_handler = remember;
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // a system call returns EINTR
    ::sigaction(signal, &action, nullptr);
  }
  for (const int signal : std::array{SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
}

void stop_if_interrupted() {
  if (signal_seen != 0) throw Interrupted(signal_seen);
}

void wait_for_end(pid_t child) {
  // Blocked but within ppoll, a signal cannot slip in between the look and the wait.
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  for (const int signal : ending_signals) ::sigaddset(&blocked, signal);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  pollfd process{
      .fd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0)), .events = POLLIN, .revents = 0};
  while (signal_seen == 0 && process.fd >= 0 && ::ppoll(&process, 1, nullptr, &before) < 0) {
  }
  if (process.fd >= 0) ::close(process.fd);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  stop_if_interrupted();
}

void Interrupted::end_program() const {
  std::signal(signal_, SIG_DFL);
  std::raise(signal_);
  std::_Exit(128 + signal_);
}

}  // namespace keelson::tool
