// SPDX-License-Identifier: MIT
//
// The built-in screen (panel.h).
#include "efi/firmware/panel.h"

#include "efi/firmware/protocol.h"

namespace keelson::efi {

std::optional<hardware_ids::PanelId> find_panel() {
  const auto screens = HandleList::with_protocol(protocol_guid::edid_discovered);
  if (!screens.has_value()) return std::nullopt;
  for (const Handle screen : *screens) {
    const auto* const found = interface_on<EFI_EDID_DISCOVERED_PROTOCOL>(screen);
    if (found == nullptr || found->Edid == nullptr) continue;
    const auto panel =
        hardware_ids::parse_edid(std::as_bytes(std::span(found->Edid, found->SizeOfEdid)));
    if (panel.has_value()) return *panel;
  }
  return std::nullopt;
}

}  // namespace keelson::efi
