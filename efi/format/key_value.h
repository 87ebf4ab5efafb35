// SPDX-License-Identifier: MIT
//
// Owns the line format that loader.conf, Type #1 entries (separator: blank) and os-release and
// .profile sections (separator: `=`) share: lines, comments, keys, quotes. As systemd-boot 261
// reads it, which is laxer than a shell: no escapes, no continuation lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "efi/base/bytes.h"

namespace keelson {

enum class KeySeparator : std::uint8_t { blank, equals };

struct KeyValue {
  std::string_view key;    // never empty
  std::string_view value;  // never empty; one pair of quotes is removed; UTF-8 is not checked
  std::uint32_t line = 0;  // counted from 1
};

// Walks the lines of `text`, which ends at its first NUL. Lines end at LF or CR. Comments, empty
// lines, lines without separator, without key or without value are passed over. The views borrow
// from `text`.
class KeyValueLines {
 public:
  KeyValueLines(Bytes text, KeySeparator separator);
  std::optional<KeyValue> next();

 private:
  std::string_view rest_;
  KeySeparator separator_;
  std::uint32_t line_ = 0;
  char previous_end_ = 0;
};

}  // namespace keelson
