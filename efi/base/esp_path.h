// SPDX-License-Identifier: MIT
//
// Owns paths on a boot volume: EspPath, normalised (`\` as separator, absolute, no empty component)
// and validated, so that code past a parser never sees `..`, drive prefixes or control characters.
// The text is followed by a NUL, so it can be given to firmware as it is.
#pragma once

#include <string_view>

#include "efi/base/text.h"

namespace keelson {

// What stands between the components of a path, as others write it. Ours have `\` only.
constexpr bool is_path_separator(char16_t unit) { return unit == u'\\' || unit == u'/'; }

class EspPath {
 public:
  // What one component of a long file name has at most.
  static constexpr std::size_t max_name = 255;
  // What is accepted at all; longer ones are malformed.
  static constexpr std::size_t max_length = 4096;

  EspPath() = default;  // no path

  // `/` becomes `\`, runs of separators collapse, a leading one is added. Error: malformed for an
  // empty path, a component `.` or `..`, a trailing separator, `:` and other characters that FAT
  // forbids, control characters, text that is not valid UTF-8 (or above U+FFFF), excessive length;
  // out_of_memory. The text lives in `arena`.
  static Result<EspPath> parse(std::string_view utf8, TextArena& arena);
  static Result<EspPath> parse(std::u16string_view text, TextArena& arena);
  // The file `name` in `directory` (`\loader\entries`). Errors as parse.
  static Result<EspPath> join(std::u16string_view directory, std::u16string_view name,
                              TextArena& arena);

  bool empty() const { return text_.empty(); }
  std::u16string_view text() const { return text_; }
  // The last component, and all before it without the separator (empty for a file in the root).
  std::u16string_view file_name() const;
  std::u16string_view directory() const;

  // FAT names do not distinguish case; only ASCII letters are folded.
  friend bool operator==(const EspPath& a, const EspPath& b) {
    return equal_ignoring_case(a.text_, b.text_);
  }

 private:
  explicit EspPath(std::u16string_view text) : text_(text) {}
  std::u16string_view text_;
};

}  // namespace keelson
