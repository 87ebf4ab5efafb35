// SPDX-License-Identifier: MIT
//
// Any value of a variable: texts come out without NUL and never longer than they went in.
#include <string>

#include "efi/format/loader_interface.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes value = std::as_bytes(std::span(data, size));
  TextArena arena;
  const auto text = loader_interface::decode_text(value, arena);
  if (text.has_value() == (size % 2 != 0)) __builtin_trap();
  if (text.has_value()) {
    if (text->contains(u'\0') || text->size() > size / 2) __builtin_trap();
    const auto written = loader_interface::encode_text(*text, arena);
    if (!written.has_value() || written->size() != text->size() * 2 + 2) __builtin_trap();
  }
  if (loader_interface::decode_u8(value).has_value() != (size == 1)) __builtin_trap();
  if (loader_interface::decode_u64(value).has_value() != (size == 8)) __builtin_trap();
  std::u16string units(size / 2, u'\0');
  if (!units.empty()) __builtin_memcpy(units.data(), data, units.size() * 2);
  std::u16string_view rest = units;
  while (const auto id = loader_interface::next_entry_id(rest))
    if (id->empty() || id->contains(u'\0')) __builtin_trap();
  if (!rest.empty()) __builtin_trap();
  return 0;
}
