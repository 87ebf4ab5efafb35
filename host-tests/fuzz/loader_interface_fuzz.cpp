// SPDX-License-Identifier: MIT
//
// Any value of a variable: texts come out without NUL and never longer than they went in.
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
  if (loader_interface::decode_u64(value).has_value() != (size == 8)) __builtin_trap();
  return 0;
}
