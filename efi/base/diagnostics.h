// SPDX-License-Identifier: MIT
//
// Owns how parsers with several problems report them, and how messages are put together: a Line of
// fixed size filled through `print` overloads, never through a format string. Where a message goes
// is decided by whoever implements Diagnostics.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "efi/base/text.h"

namespace keelson {

enum class Severity : std::uint8_t { error, warning, info, debug };

// A bounded UTF-8 text; what does not fit is cut, and `cut()` tells.
class Line {
 public:
  Line& add(std::string_view text);
  bool cut() const { return cut_; }
  std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, 512> buffer_{};
  std::size_t size_ = 0;
  bool cut_ = false;
};

struct Hex {
  std::uint64_t value = 0;
};

void print(Line& line, std::string_view text);
void print(Line& line, std::u16string_view text);
void print(Line& line, Hex number);
void print(Line& line,
           const Error& error);  // "section table past end of file (truncated, at 0x40)"
template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, char16_t>)
void print(Line& line, T number) {
  if constexpr (std::is_signed_v<T>) {
    if (number < 0) line.add("-");
    const auto magnitude =
        number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    line.add(Decimal(magnitude));
  } else {
    line.add(Decimal(number));
  }
}

class Diagnostics {
 public:
  template <class... Parts>
  void report(Severity severity, const Parts&... parts) {
    Line line;
    (print(line, parts), ...);
    write(severity, line.text());
  }
  template <class... Parts>
  void error(const Parts&... parts) {
    report(Severity::error, parts...);
  }
  template <class... Parts>
  void warn(const Parts&... parts) {
    report(Severity::warning, parts...);
  }
  template <class... Parts>
  void info(const Parts&... parts) {
    report(Severity::info, parts...);
  }
  template <class... Parts>
  void debug(const Parts&... parts) {
    report(Severity::debug, parts...);
  }

 protected:
  ~Diagnostics() = default;
  // One message, UTF-8, no line end.
  virtual void write(Severity severity, std::string_view message) = 0;
};

}  // namespace keelson
