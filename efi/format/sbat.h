// SPDX-License-Identifier: MIT
//
// Owns SBAT text (shim's SBAT.md; security.md 4; tools.md 2.3): reading its lines and merging the
// texts of stub, kernel and builder into the one of a UKI.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "efi/base/bytes.h"
#include "efi/base/wire.h"

namespace keelson::sbat {

inline constexpr std::string_view first_line =
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md";
// What a UKI and an add-on get if the builder is given none.
inline constexpr std::string_view default_uki_line =
    "uki,1,UKI,uki,1,https://uapi-group.org/specifications/specs/unified_kernel_image/";
inline constexpr std::string_view default_addon_line =
    "uki-addon,1,UKI Addon,addon,1,"
    "https://www.freedesktop.org/software/systemd/man/latest/systemd-stub.html";

struct Component {
  std::string_view name;
  std::uint32_t generation = 0;
  std::string_view line;  // the whole line, without its end
};

// The lines of `text`, up to its first NUL, empty ones left out.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text.substr(0, text.find('\0'))) {}
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
};

// Fields of a line: at least component and generation (a number above 0). Error: malformed.
Result<Component> parse_line(std::string_view line);

// Checks a whole text: the first line is the "sbat" component, every line parses, ASCII only.
// Error: malformed, with the number of the line, from 1.
Result<> check(std::string_view text);

// Appends the first line, then all lines of all texts but their first ones if these are "sbat"
// lines; nothing is left out as a duplicate; every line ends in a newline. The sum of the texts'
// sizes plus merge_overhead each always suffices. Error: malformed, as by check.
Result<> merge(std::span<const std::string_view> texts, Writer& to);
inline constexpr std::size_t merge_overhead = 80;

}  // namespace keelson::sbat
