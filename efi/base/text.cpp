// SPDX-License-Identifier: MIT
//
// UTF-8 and UTF-16 decoding by the table of Unicode 15, 3.9 (well-formed UTF-8 byte sequences).
#include "efi/base/text.h"

namespace keelson {
namespace {

constexpr char16_t replacement = 0xFFFD;

struct Decoded {
  char32_t code = 0;
  std::size_t length = 1;  // bytes consumed, also when not valid
  bool valid = false;
};

// One code point at the start of `text`, which is not empty.
Decoded decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  std::size_t length = 0;
  char32_t code = 0;
  // Bounds of the second byte exclude overlong forms and surrogates.
  unsigned char low = 0x80, high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
    code = first & 0x1Fu;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    code = first & 0x0Fu;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    code = first & 0x07u;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return {};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {0, i, false};
    code = (code << 6) | (byte(i) & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  return {code, length, true};
}

}  // namespace

Result<std::u16string_view> to_utf16(std::string_view utf8, BadText policy,
                                     std::span<char16_t> out) {
  std::size_t used = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const Decoded next = decode_utf8(utf8.substr(at));
    if (next.valid && next.code == 0) break;
    char16_t unit = static_cast<char16_t>(next.code);
    if (!next.valid || next.code > 0xFFFF) {
      if (policy == BadText::refuse) return fail(Errc::malformed, "text is not valid UTF-8", at);
      unit = replacement;
    }
    at += next.length;
    if (policy == BadText::drop && (!next.valid || next.code > 0xFFFF)) continue;
    if (used == out.size()) return fail(Errc::out_of_memory, "text too long for its buffer", at);
    out[used++] = unit;
  }
  return std::u16string_view(out.data(), used);
}

Result<std::u16string_view> to_utf16(std::string_view utf8, BadText policy, TextArena& arena) {
  const auto room = TRY(arena.reserve_utf16(utf8.size() + 1));
  const auto text = TRY(to_utf16(utf8, policy, room.first(utf8.size())));
  room[text.size()] = 0;
  return text;
}

Result<std::string_view> to_utf8(std::u16string_view utf16, std::span<char> out) {
  std::size_t used = 0;
  for (std::size_t at = 0; at < utf16.size() && utf16[at] != 0; ++at) {
    char32_t code = utf16[at];
    if (code >= 0xD800 && code <= 0xDFFF) {
      const bool paired = code < 0xDC00 && at + 1 < utf16.size() && utf16[at + 1] >= 0xDC00 &&
                          utf16[at + 1] <= 0xDFFF;
      code = paired ? 0x10000 + ((code - 0xD800) << 10) + (utf16[at + 1] - 0xDC00u)
                    : char32_t{replacement};
      if (paired) ++at;
    }
    std::array<char, 4> bytes{};
    std::size_t length = 0;
    const auto push = [&](char32_t value) { bytes[length++] = static_cast<char>(value); };
    if (code < 0x80) {
      push(code);
    } else if (code < 0x800) {
      push(0xC0 | (code >> 6));
      push(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      push(0xE0 | (code >> 12));
      push(0x80 | ((code >> 6) & 0x3F));
      push(0x80 | (code & 0x3F));
    } else {
      push(0xF0 | (code >> 18));
      push(0x80 | ((code >> 12) & 0x3F));
      push(0x80 | ((code >> 6) & 0x3F));
      push(0x80 | (code & 0x3F));
    }
    if (length > out.size() - used)
      return fail(Errc::out_of_memory, "text too long for its buffer", at);
    for (std::size_t i = 0; i < length; ++i) out[used++] = bytes[i];
  }
  return std::string_view(out.data(), used);
}

Result<std::string_view> to_utf8(std::u16string_view utf16, TextArena& arena) {
  const auto room = TRY(arena.reserve(utf16.size() * 3));
  return to_utf8(utf16, std::span(reinterpret_cast<char*>(room.data()), room.size()));
}

Result<std::u16string_view> concatenate(std::initializer_list<std::u16string_view> parts,
                                        TextArena& arena) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  const auto room = TRY(arena.reserve_utf16(size + 1));
  std::size_t used = 0;
  for (const auto part : parts)
    for (const char16_t unit : part) room[used++] = unit;
  room[used] = 0;
  return std::u16string_view(room.data(), used);
}

namespace {
template <class Char>
std::optional<std::uint64_t> decimal(std::basic_string_view<Char> text, std::uint64_t max) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const Char c : text) {
    if (c < Char{'0'} || c > Char{'9'}) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - Char{'0'});
    if (digit > max || value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}
}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) {
  return decimal(text, max);
}
std::optional<std::uint64_t> parse_decimal(std::u16string_view text, std::uint64_t max) {
  return decimal(text, max);
}

Decimal::Decimal(std::uint64_t value, std::size_t minimum_width) {
  do {
    digits_[--start_] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (start_ > 0 && digits_.size() - start_ < minimum_width) digits_[--start_] = '0';
}

void make_printable(std::span<char16_t> text) {
  for (char16_t& c : text) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool reorders =
        (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
    if (control || reorders) c = replacement;
  }
}

}  // namespace keelson
