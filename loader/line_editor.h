// SPDX-License-Identifier: MIT
//
// Owns editing one line of text: what each key does to text and cursor, as readline users know it.
// Pure; how the line is drawn is menu_rows, where the text goes is choose's business.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "efi/firmware/console.h"

namespace keelson::loader {

// Enter as both of its control characters, from any keyboard.
bool is_enter(const efi::KeyPress& key);

class LineEditor {
 public:
  // How much longer a text may become than it was.
  static constexpr std::size_t spare = 1023;

  LineEditor() = default;
  // Edits in `room`, which must hold `text` and lives as long as the editor. The cursor is at the end.
  LineEditor(std::span<char16_t> room, std::u16string_view text);

  enum class Outcome : std::uint8_t { edited, accepted, cancelled };
  Outcome press(const efi::KeyPress& key);

  std::u16string_view text() const { return {room_.data(), size_}; }
  std::size_t cursor() const { return cursor_; }

 private:
  void insert(char16_t character);
  void erase(std::size_t first, std::size_t last);
  std::size_t word_before() const;
  std::size_t word_after() const;
  bool move(const efi::KeyPress& key);
  bool remove(const efi::KeyPress& key);

  std::span<char16_t> room_;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;
};

}  // namespace keelson::loader
