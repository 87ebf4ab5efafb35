// SPDX-License-Identifier: MIT
//
// The firmware's keyboard layout (keyboard_layout.h).
#include "efi/firmware/keyboard_layout.h"

#include "efi/firmware/protocol.h"
#include "efi/format/keyboard_layout.h"

namespace keelson::efi {

Result<std::u16string_view> current_keyboard_language(TextArena& texts) {
  auto* const database = locate<HiiDatabaseProtocol>();
  if (database == nullptr) return fail(Errc::not_found, "no database of keyboard layouts");
  // A layout's length has 16 bits.
  const MutableBytes room = TRY(texts.reserve(64_KiB, 8));
  UINT16 size = 0xffff;
  TRY(check(database->get_keyboard_layout(database, nullptr, &size, room.data()),
            "no current keyboard layout"));
  return keyboard_language(Bytes(room.first(size)), texts);
}

}  // namespace keelson::efi
