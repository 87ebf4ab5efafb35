// SPDX-License-Identifier: MIT
//
// Selects from the candidates of an image; see candidates.h.
#include "stub/candidates.h"

#include "efi/format/device_tree.h"
#include "efi/format/firmware_image.h"

namespace keelson::stub {
namespace {

using hardware_ids::DeviceKind;

// A kind of candidate: what one is called in messages, and by what it says whom it is for.
struct Kind {
  UkiSection section;
  DeviceKind device;
  std::string_view name;
  Result<std::string_view> (*id_of)(Bytes content);
};

Result<std::string_view> board_of(Bytes content) {
  return TRY(device_tree::DeviceTree::parse(content)).compatible();
}
Result<std::string_view> firmware_id_of(Bytes content) {
  return TRY(parse_firmware_image(content)).id;
}

constexpr Kind kinds[] = {
    {UkiSection::dtbauto, DeviceKind::device_tree, "device tree", board_of},
    {UkiSection::efifw, DeviceKind::uefi_firmware, "firmware image", firmware_id_of},
};

// The first section of that name which has content.
std::optional<pe::Section> find_in(const pe::Image& image, uki::Range range, UkiSection id) {
  for (const pe::Section& section : image.sections(range.first, range.last))
    if (section.name() == row(id).name && section.is_set()) return section;
  return std::nullopt;
}

Result<Bytes> content_of(const pe::Image& image, const pe::Section& section) {
  return TRY(image.data(section)).in_memory();
}

Result<std::string_view> id_by_hwids(const pe::Image& image, uki::Range range,
                                     const Hardware& hardware, DeviceKind kind) {
  const auto hwids = find_in(image, range, UkiSection::hwids);
  if (!hwids) return fail(Errc::not_found, "no .hwids section");
  const auto ids = TRY(hardware_ids::make_ids(hardware.machine));
  const auto device = TRY(hardware_ids::find_device(TRY(content_of(image, *hwids)), ids, kind));
  return device.id;
}

// Whom a candidate of `range` must be for; empty: none can match.
std::string_view wanted_id(const pe::Image& image, uki::Range range, const Hardware& hardware,
                           DeviceKind kind, Diagnostics& diagnostics) {
  if (kind == DeviceKind::device_tree && hardware.has_device_tree) return hardware.board;
  const auto id = id_by_hwids(image, range, hardware, kind);
  if (id.has_value()) return *id;
  if (id.error().code != Errc::not_found)
    diagnostics.warn("the .hwids section is not used: ", id.error());
  return {};
}

// The index of the first section in `range` that matches.
std::optional<std::uint32_t> find_candidate(const pe::Image& image, uki::Range range,
                                            const Kind& kind, const Hardware& hardware,
                                            Diagnostics& diagnostics) {
  if (!find_in(image, range, kind.section)) return std::nullopt;
  const std::string_view wanted = wanted_id(image, range, hardware, kind.device, diagnostics);
  if (wanted.empty()) return std::nullopt;
  for (const pe::Section& section : image.sections(range.first, range.last)) {
    if (section.name() != row(kind.section).name || !section.is_set()) continue;
    const auto content = content_of(image, section);
    const auto id = content.has_value() ? kind.id_of(*content) : fail(content.error());
    if (!id.has_value()) {
      diagnostics.warn("a ", kind.name, " is passed over: ", id.error());
    } else if (*id == wanted) {
      return section.index;
    }
  }
  return std::nullopt;
}

}  // namespace

bool has_candidates(const uki::Uki& uki) {
  for (const pe::Section& section : uki.image().sections()) {
    const auto id = find_uki_section(section.name());
    if (id && row(*id).many && section.is_set()) return true;
  }
  return false;
}

void select_candidates(const uki::Uki& uki, uki::Range base, uki::Range profile,
                       const Hardware& hardware, Diagnostics& diagnostics,
                       uki::Effective& effective) {
  for (const Kind& kind : kinds) {
    auto found = find_candidate(uki.image(), profile, kind, hardware, diagnostics);
    if (!found) found = find_candidate(uki.image(), base, kind, hardware, diagnostics);
    if (found) effective.select(kind.section, *found);
  }
}

}  // namespace keelson::stub
