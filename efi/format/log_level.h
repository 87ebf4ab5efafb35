// SPDX-License-Identifier: MIT
//
// Owns the levels by which a machine's owner says how much of what a boot program reports appears
// on the screen (loader.md 6, `log-level`; SMBIOS string `io.systemd.boot.loglevel=`). The log
// keeps everything at every level.
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/diagnostics.h"

namespace keelson {

enum class LogLevel : std::uint8_t { emerg, alert, crit, err, warning, notice, info, debug };

// By its name, as in syslog. nullopt: there is no such level.
std::optional<LogLevel> parse_log_level(std::string_view name);

// Whether a message that was meant for the screen appears there. At `debug` all others do too.
bool is_shown(LogLevel level, Severity severity);

}  // namespace keelson
