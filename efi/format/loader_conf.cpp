// SPDX-License-Identifier: MIT
//
// Settings by name. Each key has one function that takes its value or refuses it.
#include "efi/format/loader_conf.h"

#include "efi/format/key_value.h"

namespace keelson {
namespace {

constexpr std::uint32_t largest_seconds = 0xFFFF'FFFF;  // means "no countdown"
constexpr std::uint32_t largest_mode = 0x7FFF'FFFF;     // EFI text modes are counted by INT32

constexpr MenuTimeout timeout_of(std::uint32_t seconds) {
  if (seconds == 0) return {MenuTimeout::Mode::hidden};
  if (seconds == largest_seconds) return {MenuTimeout::Mode::forced};
  return {MenuTimeout::Mode::countdown, seconds};
}

template <class Char>
bool equals(std::basic_string_view<Char> text, std::string_view ascii) {
  if (text.size() != ascii.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != static_cast<Char>(ascii[i])) return false;
  return true;
}

template <class Char>
std::optional<MenuTimeout> named_timeout(std::basic_string_view<Char> text) {
  if (equals(text, "menu-force")) return MenuTimeout{MenuTimeout::Mode::forced};
  if (equals(text, "menu-hidden")) return MenuTimeout{MenuTimeout::Mode::hidden};
  if (equals(text, "menu-disabled")) return MenuTimeout{MenuTimeout::Mode::disabled};
  return std::nullopt;
}

bool is_all_digits(std::u16string_view text) {
  for (const char16_t c : text)
    if (c < u'0' || c > u'9') return false;
  return !text.empty();
}

std::optional<RebootOnError> parse_reboot_on_error(std::string_view text) {
  if (text == "auto") return RebootOnError::automatic;
  if (const auto value = parse_boolean(text))
    return *value ? RebootOnError::yes : RebootOnError::no;
  return std::nullopt;
}

// An id, a glob or @saved; other @ words are none.
std::optional<std::string_view> parse_entry_choice(std::string_view text) {
  if (text.starts_with('@') && !equal_ignoring_case(text, "@saved")) return std::nullopt;
  return text;
}

// Keeps the earlier value when there is no new one; whether there was.
template <class T>
bool assign(T& setting, const std::optional<T>& value) {
  if (value) setting = *value;
  return value.has_value();
}

struct Texts {
  std::string_view default_entry, preferred_entry;
};

// Whether the value was taken; keys that are not settings count as taken.
bool apply(const KeyValue& line, LoaderConf& conf, Texts& texts) {
  const auto [key, value, number] = line;
  if (key == "timeout") return assign(conf.timeout, parse_menu_timeout(value));
  if (key == "default") return assign(texts.default_entry, parse_entry_choice(value));
  if (key == "preferred") return assign(texts.preferred_entry, parse_entry_choice(value));
  if (key == "editor") return assign(conf.editor, parse_boolean(value));
  if (key == "auto-firmware") return assign(conf.auto_firmware, parse_boolean(value));
  if (key == "auto-poweroff") return assign(conf.auto_poweroff, parse_boolean(value));
  if (key == "auto-reboot") return assign(conf.auto_reboot, parse_boolean(value));
  if (key == "reboot-on-error") return assign(conf.reboot_on_error, parse_reboot_on_error(value));
  if (key == "console-mode") return assign(conf.console_mode, parse_console_mode(value));
  return true;
}

}  // namespace

std::optional<MenuTimeout> parse_menu_timeout(std::string_view text) {
  if (const auto named = named_timeout(text)) return named;
  const auto seconds = parse_decimal(text, largest_seconds);
  if (!seconds) return std::nullopt;
  return timeout_of(static_cast<std::uint32_t>(*seconds));
}

std::optional<MenuTimeout> parse_menu_timeout(std::u16string_view variable) {
  if (const auto named = named_timeout(variable)) return named;
  if (!is_all_digits(variable)) return std::nullopt;
  const auto seconds = parse_decimal(variable, largest_seconds);
  return timeout_of(static_cast<std::uint32_t>(seconds.value_or(largest_seconds)));
}

MenuTimeout effective_timeout(std::optional<MenuTimeout> one_shot,
                              std::optional<MenuTimeout> variable, MenuTimeout file) {
  if (one_shot)
    return one_shot->mode == MenuTimeout::Mode::countdown ? *one_shot
                                                          : MenuTimeout{MenuTimeout::Mode::forced};
  return variable.value_or(file);
}

std::optional<ConsoleMode> parse_console_mode(std::string_view text) {
  using Choice = ConsoleMode::Choice;
  if (text == "keep") return ConsoleMode{Choice::keep};
  if (text == "auto") return ConsoleMode{Choice::automatic};
  if (text == "max") return ConsoleMode{Choice::highest};
  const auto number = parse_decimal(text, largest_mode);
  if (!number) return std::nullopt;
  return ConsoleMode{Choice::number, static_cast<std::uint32_t>(*number)};
}

std::optional<ConsoleMode> parse_console_mode(std::u16string_view variable) {
  const auto number = parse_decimal(variable, largest_mode);
  if (!number) return std::nullopt;
  return ConsoleMode{ConsoleMode::Choice::number, static_cast<std::uint32_t>(*number)};
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view yes : {"1", "yes", "y", "true", "t", "on"})
    if (text == yes) return true;
  for (const std::string_view no : {"0", "no", "n", "false", "f", "off"})
    if (text == no) return false;
  return std::nullopt;
}

Result<LoaderConf> parse_loader_conf(Bytes file, TextArena& arena, Diagnostics& diagnostics) {
  LoaderConf conf;
  Texts texts;
  KeyValueLines lines(file, KeySeparator::blank);
  while (const auto line = lines.next())
    if (!apply(*line, conf, texts))
      diagnostics.warn("loader.conf line ", line->line, ": bad value for ", line->key,
                       ", the earlier one stays");
  conf.default_entry = TRY(to_utf16(texts.default_entry, BadText::drop, arena));
  conf.preferred_entry = TRY(to_utf16(texts.preferred_entry, BadText::drop, arena));
  return conf;
}

}  // namespace keelson
