// SPDX-License-Identifier: MIT
//
// Owns hardware ids (stub.md 1.4): what identifies a machine, the computer hardware ids (CHIDs)
// that Windows and fwupd make of it, and `.hwids` sections, which say which of a UKI's candidates
// belongs to which CHID.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "efi/base/guid.h"
#include "efi/format/smbios.h"

namespace keelson::hardware_ids {

// A screen's id from its EDID: three letters of the vendor, four hex digits of the product.
class PanelId {
 public:
  static constexpr std::size_t size = 7;
  constexpr explicit PanelId(const std::array<char, size>& text) : text_(text) {}
  constexpr operator std::string_view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, size> text_;
};
// Errors: truncated (under 128 bytes), malformed (header, vendor letters).
Result<PanelId> parse_edid(Bytes edid);

// What names a machine. Texts that it does not have are empty.
struct Machine {
  std::string_view manufacturer, family, product, sku;  // SMBIOS type 1
  std::string_view board_manufacturer, board_product;   // SMBIOS type 2
  std::optional<PanelId> panel;
};
// Texts borrow from the table; without the blanks and zeros around them that do not count.
Machine machine_of(const smbios::Table& table, std::optional<PanelId> panel);

// CHIDs by their type; a zero one is not made of this machine (0 to 2 and 12 never; 15 to 17 need a
// panel).
using Ids = std::array<Guid, 18>;
// Errors: out_of_memory (texts of absurd length), unsupported (no SHA-1).
Result<Ids> make_ids(const Machine& machine);

enum class DeviceKind : std::uint8_t { device_tree = 1, uefi_firmware = 2 };
struct Device {
  std::string_view name;
  std::string_view id;  // `compatible` of a device tree, id of a firmware image
};
inline constexpr std::uint64_t max_hwids_size = 1_MiB;  // R6
// `.hwids` begins with such records, ended by one whose descriptor is 0; the texts follow.
struct Record {
  Le<std::uint32_t> descriptor;  // kind in bits 31 to 28, size of the record below
  Guid chid;
  Le<std::uint32_t> name_offset, id_offset;  // in the section, of texts with a NUL; 0: none
};
static_assert(sizeof(Record) == 28);
// The record of `kind` with the most specific of the machine's ids; of several, the first in the
// table. Errors: not_found, truncated, malformed (text without NUL, over max_hwids_size),
// unsupported (a record of unknown type before the match).
Result<Device> find_device(Bytes hwids, const Ids& ids, DeviceKind kind);

}  // namespace keelson::hardware_ids
