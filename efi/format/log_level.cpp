// SPDX-License-Identifier: MIT
//
// Names and meaning of levels; see log_level.h.
#include "efi/format/log_level.h"

#include <array>

namespace keelson {
namespace {

// By LogLevel.
constexpr std::array<std::string_view, 8> names = {"emerg",   "alert",  "crit", "err",
                                                   "warning", "notice", "info", "debug"};

constexpr LogLevel level_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return LogLevel::err;
    case Severity::warning:
      return LogLevel::warning;
    case Severity::info:
      return LogLevel::info;
    case Severity::debug:
      break;
  }
  return LogLevel::debug;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<LogLevel>(i);
  return std::nullopt;
}

bool is_shown(LogLevel level, Severity severity) { return level >= level_of(severity); }

}  // namespace keelson
