// SPDX-License-Identifier: MIT
//
// The line walker of key_value.h.
#include "efi/format/key_value.h"

namespace keelson {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  return line;
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == value.back() &&
                      (value.front() == '"' || value.front() == '\'');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

KeyValueLines::KeyValueLines(Bytes text, KeySeparator separator)
    : rest_(text_of(text)), separator_(separator) {
  rest_ = rest_.substr(0, rest_.find('\0'));
}

std::optional<KeyValue> KeyValueLines::next() {
  const auto separates = [this](char c) {
    return separator_ == KeySeparator::equals ? c == '=' : is_blank(c);
  };
  while (!rest_.empty()) {
    const std::size_t size = rest_.find_first_of("\n\r");
    std::string_view line = rest_.substr(0, size);
    const char end = size == rest_.npos ? '\0' : rest_[size];
    rest_.remove_prefix(size == rest_.npos ? rest_.size() : size + 1);
    // CR LF is one line end: the empty line between them has no number.
    if (!(previous_end_ == '\r' && end == '\n' && line.empty())) ++line_;
    previous_end_ = end;

    line = trimmed(line);
    if (line.empty() || line.front() == '#') continue;
    std::size_t key_size = 0;
    while (key_size < line.size() && !separates(line[key_size])) ++key_size;
    std::size_t value_start = key_size;
    while (value_start < line.size() && separates(line[value_start])) ++value_start;
    const auto value = unquoted(line.substr(value_start));
    if (key_size == 0 || value.empty()) continue;
    return KeyValue{line.substr(0, key_size), value, line_};
  }
  return std::nullopt;
}

}  // namespace keelson
