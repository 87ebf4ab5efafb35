// SPDX-License-Identifier: MIT
//
// The firmware's keyboard layout (keyboard_layout.h).
#include "efi/firmware/keyboard_layout.h"

#include <algorithm>

#include "efi/firmware/protocol.h"
#include "efi/format/keyboard_layout.h"

namespace keelson::efi {

Result<std::u16string_view> current_keyboard_language(TextArena& texts) {
  auto* const database = locate<HiiDatabaseProtocol>();
  if (database == nullptr) return fail(Errc::not_found, "no database of keyboard layouts");
  // Many firmwares have none: their answer needs no room.
  UINT16 size = 0;
  const Status asked = database->get_keyboard_layout(database, nullptr, &size, nullptr);
  if (asked != status::buffer_too_small) TRY(check(asked, "no current keyboard layout"));
  Pages layout = TRY(Pages::allocate(size));
  UINT16 got = size;
  TRY(check(database->get_keyboard_layout(database, nullptr, &got, layout.data()),
            "no current keyboard layout"));
  return keyboard_language(layout.bytes().first(std::min(got, size)), texts);
}

}  // namespace keelson::efi
