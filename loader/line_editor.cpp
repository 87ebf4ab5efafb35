// SPDX-License-Identifier: MIT
//
// The keys of the editor (loader.md 9). Words are what lies between blanks.
#include "loader/line_editor.h"

#include <algorithm>

#include "efi/base/text.h"

namespace keelson::loader {
namespace {

using efi::KeyPress;

bool is_control(const KeyPress& key, char16_t letter) {
  return key.control && !key.alt && to_lower(key.character) == letter;
}
bool is_alt(const KeyPress& key, char16_t letter) {
  return key.alt && !key.control && to_lower(key.character) == letter;
}
bool is_scan(const KeyPress& key, std::uint16_t code) {
  return key.character == 0 && key.scan == code && !key.alt && !key.control;
}
bool is_control_scan(const KeyPress& key, std::uint16_t code) {
  return key.character == 0 && key.scan == code && key.control;
}
// Ctrl-H and Backspace are one character.
bool is_backspace(const KeyPress& key) { return key.character == 8 || is_control(key, u'h'); }

bool is_cancel(const KeyPress& key) {
  return is_scan(key, efi::scan::escape) || key.character == 0x1b || is_control(key, u'c') ||
         is_control(key, u'g');
}

// What can be in a command line. Surrogates never arrive: keyboards speak UCS-2.
bool is_text(const KeyPress& key) {
  return !key.control && !key.alt && key.character >= 0x20 && key.character != 0x7f &&
         (key.character < 0xd800 || key.character > 0xdfff);
}

}  // namespace

bool is_enter(const KeyPress& key) {
  return key.character == u'\r' || key.character == u'\n' || is_control(key, u'm') ||
         is_control(key, u'j');
}

LineEditor::LineEditor(std::span<char16_t> room, std::u16string_view text)
    : room_(room), size_(std::min(room.size(), text.size())), cursor_(size_) {
  std::copy_n(text.begin(), size_, room_.begin());
}

LineEditor::Outcome LineEditor::press(const KeyPress& key) {
  if (is_enter(key)) return Outcome::accepted;
  if (is_cancel(key)) return Outcome::cancelled;
  if (!move(key) && !remove(key) && is_text(key)) insert(key.character);
  return Outcome::edited;
}

bool LineEditor::move(const KeyPress& key) {
  if (is_scan(key, efi::scan::home) || is_control(key, u'a')) {
    cursor_ = 0;
  } else if (is_scan(key, efi::scan::end) || is_control(key, u'e')) {
    cursor_ = size_;
  } else if (is_scan(key, efi::scan::right) || is_control(key, u'f')) {
    if (cursor_ < size_) ++cursor_;
  } else if (is_scan(key, efi::scan::left) || is_control(key, u'b')) {
    if (cursor_ > 0) --cursor_;
  } else if (is_scan(key, efi::scan::down) || is_control_scan(key, efi::scan::right) ||
             is_alt(key, u'f')) {
    cursor_ = word_after();
  } else if (is_scan(key, efi::scan::up) || is_control_scan(key, efi::scan::left) ||
             is_alt(key, u'b')) {
    cursor_ = word_before();
  } else {
    return false;
  }
  return true;
}

bool LineEditor::remove(const KeyPress& key) {
  if (is_control(key, u'k')) {
    erase(cursor_, size_);
  } else if (is_control(key, u'u')) {
    erase(0, cursor_);
  } else if (is_control(key, u'w') || (key.alt && is_backspace(key))) {
    erase(word_before(), cursor_);
  } else if (is_control_scan(key, efi::scan::del) || is_alt(key, u'd')) {
    erase(cursor_, word_after());
  } else if (is_scan(key, efi::scan::del) || is_control(key, u'd')) {
    if (cursor_ < size_) erase(cursor_, cursor_ + 1);
  } else if (is_backspace(key)) {
    if (cursor_ > 0) erase(cursor_ - 1, cursor_);
  } else {
    return false;
  }
  return true;
}

void LineEditor::insert(char16_t character) {
  if (size_ == room_.size()) return;
  std::copy_backward(room_.begin() + static_cast<std::ptrdiff_t>(cursor_),
                     room_.begin() + static_cast<std::ptrdiff_t>(size_),
                     room_.begin() + static_cast<std::ptrdiff_t>(size_ + 1));
  room_[cursor_] = character;
  ++cursor_;
  ++size_;
}

void LineEditor::erase(std::size_t first, std::size_t last) {
  std::copy(room_.begin() + static_cast<std::ptrdiff_t>(last),
            room_.begin() + static_cast<std::ptrdiff_t>(size_),
            room_.begin() + static_cast<std::ptrdiff_t>(first));
  size_ -= last - first;
  cursor_ = first;
}

std::size_t LineEditor::word_before() const {
  std::size_t at = cursor_;
  while (at > 0 && room_[at - 1] == u' ') --at;
  while (at > 0 && room_[at - 1] != u' ') --at;
  return at;
}

std::size_t LineEditor::word_after() const {
  std::size_t at = cursor_;
  while (at < size_ && room_[at] == u' ') ++at;
  while (at < size_ && room_[at] != u' ') ++at;
  return at;
}

}  // namespace keelson::loader
