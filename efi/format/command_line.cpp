// SPDX-License-Identifier: MIT
//
// Command lines as pure functions over UTF-16 texts.
#include "efi/format/command_line.h"

namespace keelson {
namespace {

constexpr bool is_white(char16_t c) { return c <= 0x20 || c == 0x7F; }

// Appends words to a buffer that is large enough, a space between them.
struct Words {
  std::span<char16_t> room;
  std::size_t used = 0;
  void add(std::initializer_list<std::u16string_view> parts) {
    if (used != 0) room[used++] = u' ';
    for (const auto part : parts)
      for (const char16_t unit : part) room[used++] = unit;
  }
  std::u16string_view finish() {
    room[used] = 0;
    return {room.data(), used};
  }
};

constexpr std::u16string_view initrd_word = u"initrd=";

// The value of `@` and digits that make up all of `text`.
std::optional<std::uint32_t> parse_at_number(std::u16string_view text) {
  if (!text.starts_with(u'@')) return std::nullopt;
  const auto number = parse_decimal(text.substr(1), 0xFFFF'FFFF);
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

std::optional<ProfileSelector> parse_profile_selector(std::u16string_view line) {
  const std::size_t size = line.find(u' ');
  const auto number = parse_at_number(line.substr(0, size));
  if (!number) return std::nullopt;
  return ProfileSelector{*number,
                         size == line.npos ? std::u16string_view() : line.substr(size + 1)};
}

Result<BootRequest> parse_load_options(Bytes load_options, TextArena& arena) {
  const std::size_t units = load_options.size() / 2;
  if (units == 0) return BootRequest{};
  const auto room = TRY(arena.reserve_utf16(units));
  __builtin_memcpy(room.data(), load_options.data(), units * 2);
  std::u16string_view line(room.data(), units);
  line = line.substr(0, line.find(u'\0'));
  for (const char16_t unit : line)
    if (unit < 0x20) return BootRequest{};  // firmware puts binary data there
  BootRequest request;
  if (const auto selector = parse_profile_selector(line)) {
    request.profile = selector->profile;
    line = selector->rest;
  }
  request.line = TRY(normalise(line, arena));
  return request;
}

Result<BootRequest> parse_shell_arguments(std::span<const std::u16string_view> arguments,
                                          TextArena& arena) {
  BootRequest request;
  std::span<const std::u16string_view> words = arguments.empty() ? arguments : arguments.subspan(1);
  if (words.empty()) return request;
  if (const auto number = parse_at_number(words.front())) {
    request.profile = *number;
    words = words.subspan(1);
  }
  std::size_t size = 1;
  for (const auto word : words) size += word.size() + 1;
  const auto room = TRY(arena.reserve_utf16(size));
  std::size_t used = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) room[used++] = u' ';  // also beside empty arguments
    for (const char16_t unit : words[i]) room[used++] = unit;
  }
  room[used] = 0;
  request.line = {room.data(), used};
  return request;
}

std::u16string_view normalise(std::span<char16_t> line) {
  while (!line.empty() && is_white(line.front())) line = line.subspan(1);
  while (!line.empty() && is_white(line.back())) line = line.first(line.size() - 1);
  for (char16_t& unit : line)
    if (is_white(unit)) unit = u' ';
  return {line.data(), line.size()};
}

Result<std::u16string_view> normalise(std::u16string_view line, TextArena& arena) {
  const auto room = TRY(arena.reserve_utf16(line.size() + 1));
  for (std::size_t i = 0; i < line.size(); ++i) room[i] = line[i];
  const auto text = normalise(room.first(line.size()));
  // The NUL behind the text, as other texts of an arena have it: over white space or behind it all.
  if (text.data() != nullptr)
    room[static_cast<std::size_t>(text.data() - room.data()) + text.size()] = 0;
  return text;
}

Result<std::u16string_view> normalise_utf8(Bytes section, TextArena& arena) {
  return normalise(TRY(to_utf16(text_of(section), BadText::drop, arena)), arena);
}

BaseLine choose_base_line(const LineFacts& facts) {
  const auto embedded = facts.embedded.value_or(std::u16string_view());
  if (facts.passed.empty()) return {.text = embedded};
  const bool refused = facts.secure_boot && (facts.embedded.has_value() || facts.confidential_vm);
  if (refused) return {.text = embedded, .passed_ignored = true};
  return {.text = facts.passed, .measured = true};
}

Result<std::optional<std::u16string_view>> compose_load_options(const PassedOptions& passed,
                                                                TextArena& arena) {
  const auto options = passed.implied ? std::u16string_view() : passed.options;
  const Decimal number(passed.profile);
  const auto profile = TRY(to_utf16(number, BadText::drop, arena));
  std::size_t size = 3 + profile.size() + options.size();
  for (const EspPath& initrd : passed.initrds)
    size += initrd_word.size() + initrd.text().size() + 1;
  Words line{TRY(arena.reserve_utf16(size))};
  if (passed.profile > 0) line.add({u"@", profile});
  for (const EspPath& initrd : passed.initrds) line.add({initrd_word, initrd.text()});
  if (!options.empty()) line.add({options});
  if (line.used == 0) return std::optional<std::u16string_view>();
  return std::optional(line.finish());
}

}  // namespace keelson
