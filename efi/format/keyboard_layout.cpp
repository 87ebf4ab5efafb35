// SPDX-License-Identifier: MIT
//
// Reads the description of a keyboard layout; see keyboard_layout.h.
#include "efi/format/keyboard_layout.h"

#include <array>

#include "efi/base/wire.h"

namespace keelson {
namespace {

struct LayoutHeader {
  Le<std::uint16_t> length;  // of the whole layout
  std::array<unsigned char, 16> guid;
  Le<std::uint32_t> description_offset;  // from the start of the layout
  std::uint8_t key_count;
};
static_assert(sizeof(LayoutHeader) == 23 && alignof(LayoutHeader) == 1);

constexpr std::size_t longest_tag = 64;

constexpr bool belongs_to_tag(char16_t unit) {
  return (unit >= u'a' && unit <= u'z') || (unit >= u'A' && unit <= u'Z') ||
         (unit >= u'0' && unit <= u'9') || unit == u'-';
}

}  // namespace

Result<std::u16string_view> keyboard_language(Bytes layout, TextArena& texts) {
  const auto header = TRY(load<LayoutHeader>(layout, 0, "keyboard layout"));
  const Bytes whole = TRY(slice(layout, 0, header.length.get(), "keyboard layout"));
  const std::uint64_t offset = header.description_offset.get();
  const auto count = TRY(load<Le<std::uint16_t>>(whole, offset, "keyboard description")).get();
  if (count == 0) return fail(Errc::malformed, "keyboard layout without a description");

  std::array<char16_t, longest_tag> tag{};
  std::size_t size = 0;
  std::uint64_t at = offset + sizeof(std::uint16_t);
  for (bool ended = false; !ended; at += sizeof(char16_t)) {
    const auto unit = static_cast<char16_t>(
        TRY(load<Le<std::uint16_t>>(whole, at, "keyboard description")).get());
    ended = unit == u' ';
    if (ended) continue;
    if (!belongs_to_tag(unit) || size == tag.size())
      return fail(Errc::malformed, "keyboard description without a language", at);
    tag[size++] = unit;
  }
  if (size == 0) return fail(Errc::malformed, "keyboard description without a language", offset);
  return texts.keep(std::u16string_view(tag.data(), size));
}

}  // namespace keelson
