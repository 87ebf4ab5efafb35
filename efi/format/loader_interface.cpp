// SPDX-License-Identifier: MIT
//
// Encodings of variables.
#include "efi/format/loader_interface.h"

#include "efi/base/hex.h"
#include "efi/base/text.h"
#include "efi/format/entry_list.h"

namespace keelson::loader_interface {
namespace {

// A text of the arena, which is followed by a NUL, with that NUL.
Bytes with_nul(std::u16string_view text) {
  return std::as_bytes(std::span(text.data(), text.size() + 1));
}

}  // namespace

Result<Bytes> encode_text(std::u16string_view text, TextArena& arena) {
  return with_nul(TRY(arena.keep(text)));
}

Result<Bytes> encode_text(std::string_view utf8, TextArena& arena) {
  return with_nul(TRY(to_utf16(utf8, BadText::replace, arena)));
}

Result<Bytes> encode_decimal(std::uint64_t value, TextArena& arena) {
  return encode_text(std::string_view(Decimal(value)), arena);
}

Result<Bytes> encode_pcr_banks(std::uint32_t banks, TextArena& arena) {
  std::array<char, 10> text{'0', 'x'};
  for (std::size_t i = 0; i < 8; ++i) text[2 + i] = hex_digit(banks >> (28 - 4 * i));
  return encode_text(std::string_view(text.data(), text.size()), arena);
}

Result<Bytes> encode_revision(std::u16string_view vendor, std::uint32_t revision,
                              TextArena& arena) {
  const auto major = TRY(to_utf16(Decimal(revision >> 16), BadText::drop, arena));
  const auto minor = TRY(to_utf16(Decimal(revision & 0xFFFF, 2), BadText::drop, arena));
  return with_nul(TRY(concatenate({vendor, u" ", major, u".", minor}, arena)));
}

Result<Bytes> encode_guid(const Guid& guid, TextArena& arena) {
  const auto text = to_text(guid, LetterCase::upper);
  return encode_text(std::string_view(text.data(), text.size()), arena);
}

Result<Bytes> encode_entries(std::span<const Entry> entries, TextArena& arena) {
  std::size_t size = 0;
  for (const Entry& entry : entries) size += entry.id.size() + 1;
  const auto room = TRY(arena.reserve_utf16(size));
  std::size_t used = 0;
  for (const Entry& entry : entries) {
    for (const char16_t unit : entry.id) room[used++] = unit;
    room[used++] = 0;
  }
  return Bytes(std::as_bytes(room));
}

Result<std::u16string_view> decode_text(Bytes value, TextArena& arena) {
  if (value.size() % 2 != 0)
    return fail(Errc::malformed, "text variable of odd size", value.size());
  const auto room = TRY(arena.reserve_utf16(value.size() / 2 + 1));
  if (!value.empty()) __builtin_memcpy(room.data(), value.data(), value.size());
  room[value.size() / 2] = 0;
  const std::u16string_view text(room.data(), value.size() / 2);
  return text.substr(0, text.find(u'\0'));
}

Result<std::uint64_t> decode_u64(Bytes value) {
  if (value.size() != 8) return fail(Errc::malformed, "variable is not eight bytes", value.size());
  return TRY(load<Le<std::uint64_t>>(value, 0, "variable of eight bytes")).get();
}

}  // namespace keelson::loader_interface
