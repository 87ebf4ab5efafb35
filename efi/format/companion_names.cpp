// SPDX-License-Identifier: MIT
//
// Names of companion files; see companion_names.h.
#include "efi/format/companion_names.h"

#include <array>

#include "efi/base/esp_path.h"
#include "efi/format/cpio.h"

namespace keelson {
namespace {

// The name in ASCII, in `room`.
Result<std::string_view> to_ascii(std::u16string_view name,
                                  std::span<char, EspPath::max_name> room) {
  if (name.size() > room.size()) return fail(Errc::malformed, "file name too long", name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] > 0x7E) return fail(Errc::malformed, "file name is not printable ASCII", i);
    room[i] = static_cast<char>(name[i]);
  }
  return std::string_view(room.data(), name.size());
}

// Past the digits at `at`; nullopt if there are none, or if they are no number.
std::optional<std::size_t> skip_number(std::u16string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && text[end] >= u'0' && text[end] <= u'9') ++end;
  if (!parse_decimal(text.substr(at, end - at), ~std::uint64_t{0})) return std::nullopt;
  return end;
}

struct Cut {
  std::size_t from = 0, to = 0;
};
// The boot counter in a path, or an empty cut.
Cut find_counter(std::u16string_view path) {
  const std::size_t plus = path.find(u'+');
  if (plus == path.npos) return {};
  auto end = skip_number(path, plus + 1);
  if (end && *end < path.size() && path[*end] == u'-') end = skip_number(path, *end + 1);
  if (!end || (*end < path.size() && path[*end] != u'.')) return {};
  return {plus, *end};
}

}  // namespace

std::optional<CompanionKind> companion_kind(std::u16string_view name) {
  struct Row {
    std::u16string_view suffix;
    CompanionKind kind;
  };
  constexpr Row rows[] = {
      {u".addon.efi", CompanionKind::addon},
      {u".cred", CompanionKind::credential},
      {u".confext.raw", CompanionKind::configuration_extension},
      {u".raw", CompanionKind::system_extension},
  };
  for (const Row& row : rows)
    if (ends_with_ignoring_case(name, row.suffix)) return row.kind;
  return std::nullopt;
}

Result<> check_companion_name(std::u16string_view name) {
  std::array<char, EspPath::max_name> room;
  return cpio::check_file_name(TRY(to_ascii(name, room)));
}

Result<std::string_view> ascii_companion_name(std::u16string_view name, TextArena& arena) {
  std::array<char, EspPath::max_name> room;
  const std::string_view ascii = TRY(to_ascii(name, room));
  TRY(cpio::check_file_name(ascii));
  return arena.keep(ascii);
}

Result<std::u16string_view> companion_directory(std::u16string_view image_path, TextArena& arena) {
  constexpr std::u16string_view suffix = u".extra.d";
  if (image_path.empty()) return fail(Errc::not_found, "the image has no path");
  const Cut counter = find_counter(image_path);
  // A separator in front, the suffix and a NUL behind.
  const auto room = TRY(arena.reserve_utf16(image_path.size() + suffix.size() + 2));
  std::size_t used = 0;
  room[used++] = u'\\';
  for (std::size_t i = 0; i < image_path.size(); ++i) {
    if (i >= counter.from && i < counter.to) continue;
    const char16_t unit = is_path_separator(image_path[i]) ? u'\\' : image_path[i];
    if (unit != u'\\' || room[used - 1] != u'\\') room[used++] = unit;
  }
  for (const char16_t unit : suffix) room[used++] = unit;
  room[used] = 0;
  return std::u16string_view(room.data(), used);
}

}  // namespace keelson
