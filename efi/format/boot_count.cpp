// SPDX-License-Identifier: MIT
//
// Reading and writing of counters in file names.
#include "efi/format/boot_count.h"

#include "efi/base/esp_path.h"

namespace keelson {
namespace {

constexpr std::size_t digits_at(std::u16string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && text[at + count] >= u'0' && text[at + count] <= u'9') ++count;
  return count;
}

// "3", "3-0": the whole of `text`, or nullopt.
std::optional<BootCount> parse_count(std::u16string_view text) {
  BootCount count;
  count.left_width = digits_at(text, 0);
  const auto left = parse_decimal(text.substr(0, count.left_width), max_tries);
  if (!left) return std::nullopt;
  count.tries_left = static_cast<std::uint32_t>(*left);
  if (count.left_width == text.size()) return count;
  if (text[count.left_width] != u'-') return std::nullopt;
  const auto done_text = text.substr(count.left_width + 1);
  const auto done = parse_decimal(done_text, max_tries);
  if (!done) return std::nullopt;
  count.tries_done = static_cast<std::uint32_t>(*done);
  count.done_width = done_text.size();
  return count;
}

// The largest number of `width` digits that a counter may hold.
std::uint32_t largest(std::size_t width) {
  if (width >= 10) return max_tries;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value * 10 + 9;
  return value;
}

// Appends to a buffer that is large enough.
struct Output {
  std::span<char16_t> room;
  std::size_t used = 0;
  void add(std::u16string_view text) {
    for (const char16_t c : text) room[used++] = c;
  }
  void add_number(std::uint32_t number, std::size_t width) {
    const Decimal digits(number);
    const std::string_view text = digits;
    for (std::size_t i = text.size(); i < width; ++i) room[used++] = u'0';
    for (const char c : text) room[used++] = static_cast<char16_t>(c);
  }
};

}  // namespace

Result<CountedName> parse_counted_name(std::u16string_view name) {
  CountedName parsed;
  for (const std::u16string_view suffix : {u".conf", u".efi"})
    if (ends_with_ignoring_case(name, suffix))
      parsed.suffix = name.substr(name.size() - suffix.size());
  if (parsed.suffix.empty()) return fail(Errc::malformed, "not the name of an entry file");
  parsed.stem = name.substr(0, name.size() - parsed.suffix.size());
  if (const auto plus = parsed.stem.rfind(u'+'); plus != parsed.stem.npos) {
    parsed.count = parse_count(parsed.stem.substr(plus + 1));
    if (parsed.count) parsed.stem = parsed.stem.substr(0, plus);
  }
  if (parsed.stem.empty()) return fail(Errc::malformed, "entry file without a name");
  return parsed;
}

BootCount after_try(BootCount count) {
  if (count.tries_left > 0) --count.tries_left;
  // A width of 0 becomes the width of "1"; one that is there bounds the number.
  const std::uint32_t limit = count.done_width == 0 ? max_tries : largest(count.done_width);
  if (count.tries_done < limit) ++count.tries_done;
  if (count.done_width == 0) count.done_width = 1;
  return count;
}

Result<std::u16string_view> write_counted_name(const CountedName& name,
                                               std::optional<BootCount> count, TextArena& arena) {
  // "+", "-" and two numbers, each at least as wide as ten digits.
  const std::size_t counter_room = count ? 22 + count->left_width + count->done_width : 0;
  Output out{TRY(arena.reserve_utf16(name.stem.size() + name.suffix.size() + counter_room + 1))};
  out.add(name.stem);
  if (count) {
    out.add(u"+");
    out.add_number(count->tries_left, count->left_width);
    if (count->done_width != 0) {
      out.add(u"-");
      out.add_number(count->tries_done, count->done_width);
    }
  }
  out.add(name.suffix);
  if (out.used > EspPath::max_name)
    return fail(Errc::unsupported, "file name with counter is too long", out.used);
  out.room[out.used] = 0;
  return std::u16string_view(out.room.data(), out.used);
}

}  // namespace keelson
