// SPDX-License-Identifier: MIT
//
// Owns the text screen and the keyboard: cells, attributes, modes, keys with time limits. Waits
// through timer events, never by polling in a loop. What is drawn and what a key means is the
// programs'. A missing or failing screen is no error: writing then does nothing.
#pragma once

#include <optional>
#include <string_view>

#include "efi/firmware/handle.h"

struct _SIMPLE_TEXT_OUTPUT_INTERFACE;
struct _EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL;

namespace keelson::efi {

struct Cells {
  std::size_t columns = 80;
  std::size_t rows = 25;
  friend constexpr bool operator==(const Cells&, const Cells&) = default;
};

enum class Color : std::uint8_t {  // values of SetAttribute
  black = 0,
  blue,
  green,
  cyan,
  red,
  magenta,
  brown,
  light_gray,
  dark_gray,
  light_blue,
  light_green,
  light_cyan,
  light_red,
  light_magenta,
  yellow,
  white,
};
struct Attribute {
  Color foreground = Color::light_gray;
  Color background = Color::black;  // the first eight only
};

// A key as SimpleTextInputEx reports it. Left and right modifiers are one, Shift is dropped when a
// character is present, Ctrl-A to Ctrl-Z always arrive as `control` with the lower-case letter.
struct KeyPress {
  char16_t character = 0;  // 0 for keys without one
  std::uint16_t scan = 0;  // scan code (UEFI 2.10, table 12.3); 0 for characters
  bool shift = false;
  bool control = false;
  bool alt = false;
  friend constexpr bool operator==(const KeyPress&, const KeyPress&) = default;
};
namespace scan {
constexpr std::uint16_t up = 0x01, down = 0x02, right = 0x03, left = 0x04, home = 0x05, end = 0x06,
                        insert = 0x07, del = 0x08, page_up = 0x09, page_down = 0x0a, f1 = 0x0b,
                        f2 = 0x0c, f3 = 0x0d, f10 = 0x14, f12 = 0x16, escape = 0x17,
                        volume_up = 0x80, volume_down = 0x81, suspend = 0x104;
}  // namespace scan

class Console {
 public:
  Console(Console&& other) noexcept;
  Console& operator=(Console&&) = delete;
  ~Console();

  bool has_screen() const { return output_ != nullptr; }

  // Writes at the cursor. Not more than what fits into one call of the firmware at a time; NULs end
  // it.
  void write(std::u16string_view text);
  void write_line(std::u16string_view text);
  void write_line(std::string_view utf8);  // control characters are replaced (R9)
  // Writes at a cell. Writing the last cell of the last row scrolls; the caller leaves it out.
  void write_at(std::size_t column, std::size_t row, std::u16string_view text, Attribute attribute);
  void set_attribute(Attribute attribute);
  void clear(Attribute attribute = {});
  void show_cursor(bool visible);
  void move_cursor(std::size_t column, std::size_t row);
  // Whether the screen can show `text`.
  bool can_show(std::u16string_view text);

  Cells size() const;
  // Modes 0 to mode_count() - 1; some are not supported.
  std::size_t mode_count() const;
  std::optional<std::size_t> mode() const;  // nullopt: the firmware names an invalid one
  std::optional<Cells> mode_size(std::size_t mode) const;
  Result<> set_mode(std::size_t mode);
  // Back to the firmware's first mode after a failed change.
  void reset_screen();
  // Width and height of the frame buffer, if there is one.
  struct Pixels {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
  };
  std::optional<Pixels> frame_buffer() const;

  // A key that is already there; does not wait. nullopt: none.
  Result<std::optional<KeyPress>> poll_key();
  // Waits for a key at most `timeout_ms`. nullopt: none came. Errors: firmware, from the keyboard
  // or the timer (then there was no waiting).
  Result<std::optional<KeyPress>> wait_key(std::uint64_t timeout_ms);
  // Waits as long as it takes; re-arms the watchdog.
  Result<KeyPress> wait_key();
  // Throws away keys that were pressed before.
  void drain_keys();

 private:
  friend class Image;
  Console();
  void find_keyboards();
  Result<std::optional<KeyPress>> wait_once(std::uint64_t timeout_ms);

  _SIMPLE_TEXT_OUTPUT_INTERFACE* output_ = nullptr;
  // The keyboard of ConIn, and the first other one with the extended protocol until either delivers
  // a key: then that one for good.
  _EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL* keyboard_ = nullptr;
  _EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL* other_keyboard_ = nullptr;
  bool searched_keyboards_ = false;
  void* timer_ = nullptr;
};

}  // namespace keelson::efi
