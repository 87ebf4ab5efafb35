// SPDX-License-Identifier: MIT
//
// Signals of the tool.
#include "tools/keelson/interruption.h"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace keelson::tool {
namespace {

volatile std::sig_atomic_t signal_seen = 0;

void remember(int signal) { signal_seen = signal; }

}  // namespace

void watch_for_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;  // nohup
    struct sigaction action{};
    action.sa_handler = remember;
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // a system call returns EINTR
    ::sigaction(signal, &action, nullptr);
  }
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
}

void stop_if_interrupted() {
  if (signal_seen != 0) throw Interrupted(signal_seen);
}

void Interrupted::end_program() const {
  std::signal(signal_, SIG_DFL);
  std::raise(signal_);
  std::_Exit(128 + signal_);
}

}  // namespace keelson::tool
