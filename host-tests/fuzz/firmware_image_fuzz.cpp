// SPDX-License-Identifier: MIT
//
// Any bytes as `.efifw`: id and payload lie in the input, one behind the other.
#include "efi/format/firmware_image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto image = parse_firmware_image(input);
  if (!image.has_value()) return 0;
  if (image->id.find('\0') != image->id.npos) __builtin_trap();
  const auto* const id_end =
      reinterpret_cast<const std::byte*>(image->id.data()) + image->id.size();
  if (*id_end != std::byte{0} || image->payload.data() != id_end + 1) __builtin_trap();
  if (image->payload.data() + image->payload.size() > input.data() + size) __builtin_trap();
  return 0;
}
