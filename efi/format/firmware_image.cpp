// SPDX-License-Identifier: MIT
//
// Owns `.efifw` headers: see firmware_image.h.
#include "efi/format/firmware_image.h"

namespace keelson {

Result<FirmwareImage> parse_firmware_image(Bytes section) {
  const auto header =
      TRY(load<FirmwareImageHeader>(section, 0, "firmware image shorter than its header"));
  if (header.magic != firmware_image_magic)
    return fail(Errc::malformed, "not a firmware image", header.magic);
  if (header.header_size < sizeof(FirmwareImageHeader))
    return fail(Errc::malformed, "firmware image with a short header", header.header_size);
  const Bytes id =
      TRY(slice(section, header.header_size, header.id_size, "firmware image id past the end"));
  const std::string_view text = text_of(id);
  if (text.empty() || text.find('\0') != text.size() - 1)
    return fail(Errc::malformed, "firmware image id without NUL at its end", header.header_size);
  const std::uint64_t payload_at = std::uint64_t{header.header_size} + header.id_size;
  const Bytes payload =
      TRY(slice(section, payload_at, header.payload_size, "firmware image past the end"));
  return FirmwareImage{.id = text.substr(0, text.size() - 1), .payload = payload};
}

}  // namespace keelson
