// SPDX-License-Identifier: MIT
//
// Owns \loader\loader.conf: its settings, their values and defaults (systemd-boot 261), and how
// long the menu waits, which the timeout variables share. Bad values are reported and leave the
// earlier value; the last line of a key wins; unknown keys are ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "efi/base/diagnostics.h"

namespace keelson {

// Files above this size are not read.
constexpr std::uint64_t max_conf_size = 1_MiB;

// Whether and how long the menu shows.
struct MenuTimeout {
  enum class Mode : std::uint8_t {
    hidden,     // a key that is already there opens the menu, else boot at once ("0")
    countdown,  // menu, boots after `seconds`
    forced,     // menu without countdown
    disabled,   // no menu, keys are not looked at
  };
  Mode mode = Mode::hidden;
  std::uint32_t seconds = 0;  // above 0 when mode is countdown
  friend bool operator==(const MenuTimeout&, const MenuTimeout&) = default;
};

// `menu-force`, `menu-hidden`, `menu-disabled` or seconds; 4294967295 means menu-force. Anything
// else, and larger numbers, are nullopt.
std::optional<MenuTimeout> parse_menu_timeout(std::string_view text);
// The same as the text of LoaderConfigTimeout and LoaderConfigTimeoutOneShot, where larger numbers
// are clamped.
std::optional<MenuTimeout> parse_menu_timeout(std::u16string_view variable);
// One-shot before variable before file. A one-shot always shows the menu: one without countdown
// (hidden, disabled) means a menu that waits.
MenuTimeout effective_timeout(std::optional<MenuTimeout> one_shot,
                              std::optional<MenuTimeout> variable, MenuTimeout file);

struct ConsoleMode {
  enum class Choice : std::uint8_t { keep, automatic, highest, number };
  Choice choice = Choice::keep;
  std::uint32_t number = 0;
  friend bool operator==(const ConsoleMode&, const ConsoleMode&) = default;
};
// A decimal number, `auto`, `max` or `keep`.
std::optional<ConsoleMode> parse_console_mode(std::string_view text);
// The variable LoaderConfigConsoleMode holds a decimal number only.
std::optional<ConsoleMode> parse_console_mode(std::u16string_view variable);

enum class RebootOnError : std::uint8_t { automatic, yes, no };

// `1 yes y true t on`, `0 no n false f off`, lower case only.
std::optional<bool> parse_boolean(std::string_view text);

struct LoaderConf {
  MenuTimeout timeout;
  std::u16string_view default_entry;    // id, glob or @saved; empty: not set
  std::u16string_view preferred_entry;  // the same
  bool editor = true;
  bool auto_firmware = true;
  bool auto_poweroff = false;
  bool auto_reboot = false;
  RebootOnError reboot_on_error = RebootOnError::automatic;
  ConsoleMode console_mode;
};

// Any bytes give settings; what is wrong goes to `diagnostics`, with line numbers. Texts live in
// `arena`. Error: out_of_memory.
Result<LoaderConf> parse_loader_conf(Bytes file, TextArena& arena, Diagnostics& diagnostics);

}  // namespace keelson
