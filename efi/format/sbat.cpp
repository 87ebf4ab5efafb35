// SPDX-License-Identifier: MIT
//
// Owns SBAT text: see sbat.h.
#include "efi/format/sbat.h"

#include "efi/base/text.h"

namespace keelson::sbat {

std::optional<std::string_view> Lines::next() {
  while (!rest_.empty()) {
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return line;
  }
  return std::nullopt;
}

Result<Component> parse_line(std::string_view line) {
  for (const char c : line)
    if (c < 0x20 || c > 0x7e) return fail(Errc::malformed, "SBAT line is not printable ASCII");
  const std::size_t first = line.find(',');
  if (first == 0 || first == std::string_view::npos)
    return fail(Errc::malformed, "SBAT line without component or generation");
  const std::string_view rest = line.substr(first + 1);
  const auto generation = parse_decimal(rest.substr(0, rest.find(',')), UINT32_MAX);
  if (!generation || *generation == 0)
    return fail(Errc::malformed, "SBAT generation is not a number above 0");
  return Component{line.substr(0, first), static_cast<std::uint32_t>(*generation), line};
}

Result<> check(std::string_view text) {
  Lines lines(text);
  std::uint64_t number = 0;
  while (const auto line = lines.next()) {
    ++number;
    const auto component = parse_line(*line);
    if (!component.has_value()) return fail(component.error().code, component.error().what, number);
    if (number == 1 && component->name != "sbat")
      return fail(Errc::malformed, "SBAT text does not begin with its \"sbat\" line", number);
  }
  if (number == 0) return fail(Errc::malformed, "SBAT text is empty");
  return {};
}

Result<> merge(std::span<const std::string_view> texts, Writer& to) {
  to.append(bytes_of(first_line)).append(bytes_of(std::string_view("\n")));
  for (const std::string_view text : texts) {
    Lines lines(text);
    std::uint64_t number = 0;
    while (const auto line = lines.next()) {
      ++number;
      const auto component = parse_line(*line);
      if (!component.has_value())
        return fail(component.error().code, component.error().what, number);
      if (number == 1 && component->name == "sbat") continue;
      to.append(bytes_of(*line)).append(bytes_of(std::string_view("\n")));
    }
  }
  TRY(to.done());
  return {};
}

}  // namespace keelson::sbat
