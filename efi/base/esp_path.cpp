// SPDX-License-Identifier: MIT
//
// Normalising and checking of paths on a volume.
#include "efi/base/esp_path.h"

#include <algorithm>

namespace keelson {
namespace {

// What no FAT name holds, and what would lie in a shown path.
constexpr bool is_forbidden(char16_t c) {
  return c < 0x20 || c == 0x7F || std::u16string_view(u"\"*:<>?|").contains(c);
}

// Writes the normalised form of `path` to `out`, which has one unit more than it; the length.
Result<std::size_t> normalise_into(std::u16string_view path, std::span<char16_t> out) {
  if (path.empty()) return fail(Errc::malformed, "empty path");
  if (is_path_separator(path.back())) return fail(Errc::malformed, "path ends in a separator");
  std::size_t used = 0;
  std::size_t at = 0;
  while (at < path.size()) {
    while (is_path_separator(path[at])) ++at;  // stops: the last unit is none
    const std::size_t start = at;
    out[used++] = u'\\';
    for (; at < path.size() && !is_path_separator(path[at]); ++at) {
      if (is_forbidden(path[at])) return fail(Errc::malformed, "character not allowed in path", at);
      out[used++] = path[at];
    }
    const auto component = path.substr(start, at - start);
    if (component == u"." || component == u"..")
      return fail(Errc::malformed, "path with a component . or ..", start);
  }
  return used;
}

}  // namespace

Result<EspPath> EspPath::parse(std::u16string_view text, TextArena& arena) {
  if (text.size() >= max_length) return fail(Errc::malformed, "path is too long", text.size());
  const auto room = TRY(arena.reserve_utf16(text.size() + 2));
  const std::size_t size = TRY(normalise_into(text, room));
  room[size] = 0;
  return EspPath(std::u16string_view(room.data(), size));
}

Result<EspPath> EspPath::parse(std::string_view utf8, TextArena& arena) {
  if (utf8.size() >= max_length * 3) return fail(Errc::malformed, "path is too long", utf8.size());
  if (utf8.contains('\0')) return fail(Errc::malformed, "path with a NUL");
  return parse(TRY(to_utf16(utf8, BadText::refuse, arena)), arena);
}

Result<EspPath> EspPath::join(std::u16string_view directory, std::u16string_view name,
                              TextArena& arena) {
  if (name.empty() || std::ranges::any_of(name, is_path_separator))
    return fail(Errc::malformed, "not a file name");
  if (directory.size() + name.size() >= max_length)
    return fail(Errc::malformed, "path is too long", directory.size() + name.size());
  const auto room = TRY(arena.reserve_utf16(directory.size() + 1 + name.size()));
  for (std::size_t i = 0; i < directory.size(); ++i) room[i] = directory[i];
  room[directory.size()] = u'\\';
  for (std::size_t i = 0; i < name.size(); ++i) room[directory.size() + 1 + i] = name[i];
  return parse(std::u16string_view(room.data(), room.size()), arena);
}

std::u16string_view EspPath::file_name() const {
  const auto last = text_.rfind(u'\\');
  return last == text_.npos ? text_ : text_.substr(last + 1);
}

std::u16string_view EspPath::directory() const {
  const auto last = text_.rfind(u'\\');
  return last == text_.npos ? std::u16string_view() : text_.substr(0, last);
}

}  // namespace keelson
