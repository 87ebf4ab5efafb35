// SPDX-License-Identifier: MIT
//
// The firmware's current keyboard layout: there or not, and a driver that refuses or lies.
#include "efi/firmware/keyboard_layout.h"

#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

// A layout of no keys, described as "de-DE x".
constexpr unsigned char layout[] = {0x2b, 0,   0, 0,   0, 0,   0, 0,   0, 0, 0,   0, 0,   0, 0,
                                    0,    0,   0, 23,  0, 0,   0, 0,   1, 0, 'd', 0, 'e', 0, '-',
                                    0,    'D', 0, 'E', 0, ' ', 0, 'x', 0, 0, 0,   0, 0};

struct Database : HiiDatabaseProtocol {
  EFI_STATUS answer = EFI_SUCCESS;
  UINT16 needed_size = sizeof(layout);
  UINT16 said_size = sizeof(layout);
  bool asked_for_current = false;
};

EFI_STATUS EFIAPI get_layout(HiiDatabaseProtocol* self, const EFI_GUID* which, UINT16* size,
                             void* buffer) {
  auto& database = *static_cast<Database*>(self);
  database.asked_for_current = which == nullptr;
  if (EFI_ERROR(database.answer)) return database.answer;
  if (*size < database.needed_size) {
    *size = database.needed_size;
    return EFI_BUFFER_TOO_SMALL;
  }
  __builtin_memcpy(buffer, layout, sizeof(layout));
  *size = database.said_size;
  return EFI_SUCCESS;
}

TEST(CurrentKeyboardLayout, IsAskedOfTheDatabase) {
  struct Row {
    bool present;
    EFI_STATUS answer;
    UINT16 said_size;
    std::string_view code;
    const char* why;
  };
  const Row rows[] = {
      {true, EFI_SUCCESS, sizeof(layout), "", "it says"},
      {false, EFI_SUCCESS, sizeof(layout), "not found", "no database"},
      {true, EFI_NOT_FOUND, sizeof(layout), "not found", "no current layout"},
      {true, EFI_SUCCESS, 20, "truncated", "said to be shorter than a header"},
      {true, EFI_SUCCESS, 30, "truncated", "shorter than it says itself"},
      {true, EFI_SUCCESS, 0xffff, "", "said to be longer than the room for it"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    sim::Firmware firmware;
    run_in(firmware, [&](Image&) {
      Database database{};
      database.get_keyboard_layout = get_layout;
      database.answer = row.answer;
      database.said_size = row.said_size;
      Handle handle = nullptr;
      if (row.present)
        handle = firmware.handles().add(nullptr, protocol_guid::hii_database, &database);
      TextArena texts;
      const auto tag = current_keyboard_language(texts);
      EXPECT_EQ(code_of(tag), row.code);
      if (tag.has_value()) EXPECT_EQ(*tag, u"de-DE");
      EXPECT_EQ(database.asked_for_current, row.present);
      if (row.present) firmware.handles().uninstall(handle, protocol_guid::hii_database, &database);
    });
  }
}

}  // namespace
}  // namespace keelson::efi
