// SPDX-License-Identifier: MIT
//
// Owns the screen (UEFI 2.10, 12.4: a grid of cells with modes, cursor, attributes and scrolling)
// and keyboards with scripted keys (12.2, 12.3). What the tests see is text.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "efi/firmware/console.h"
#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"
#include "host-tests/sim/events.h"

namespace keelson::sim {

class Screen {
 public:
  using Status = efi::Status;
  // Columns and rows of each mode; 0 columns: a mode that is not supported.
  Screen(Calls& calls, std::vector<efi::Cells> modes);
  explicit Screen(Calls& calls) : Screen(calls, {{80, 25}, {80, 50}, {100, 31}}) {}
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  SIMPLE_TEXT_OUTPUT_INTERFACE* protocol();
  // As after power-on: mode 0, empty; `printed` goes on.
  void power_cycle();

  // One line per row, without blanks at its end, up to the last row that is not blank.
  std::string text() const;
  std::string row(std::size_t row) const;
  // Of one cell, as SetAttribute takes it.
  std::uint8_t attribute_at(std::size_t column, std::size_t row) const;
  // The row on whose first cells the attribute differs from black, the way a menu shows where it
  // is; nullopt: none.
  std::optional<std::size_t> highlighted_row() const;
  efi::Cells size() const;
  std::size_t mode() const;
  bool cursor_visible() const;
  // Everything that was ever given to OutputString, line ends as \n, cursor movements as they come
  // are not shown.
  const std::string& printed() const { return printed_; }
  bool has_printed(std::string_view text) const { return printed_.contains(text); }
  void forget_printed() { printed_.clear(); }

  // Names an invalid mode (some firmware before a mode was ever set).
  void break_mode(std::int32_t mode);

 private:
  struct Protocol;
  struct Cell {
    char16_t character = u' ';
    std::uint8_t attribute = 7;
  };
  void clear();
  void put(char16_t character);
  void line_feed();
  Status output(const char16_t* text);
  Status query(std::size_t mode, UINTN* columns, UINTN* rows);
  Status set_mode(std::size_t mode);

  Calls& calls_;
  std::unique_ptr<Protocol> protocol_;
  std::vector<efi::Cells> modes_;
  std::vector<Cell> cells_;
  std::string printed_;
};

// A keyboard with the plain and the extended protocol over one queue, as consoles have it.
class Keyboard {
 public:
  using Status = efi::Status;
  Keyboard(Calls& calls, Events& events, Clock& clock);
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  SIMPLE_INPUT_INTERFACE* plain();
  EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL* extended();

  // ---- Scripted keys: each comes `after_ms` behind the one before (the first: behind the call).
  // Then nobody presses anything more. ----
  Keyboard& press(efi::KeyPress key, std::uint64_t after_ms = 100);
  Keyboard& press(char16_t character, std::uint64_t after_ms = 100) {
    return press(efi::KeyPress{.character = character}, after_ms);
  }
  Keyboard& press_scan(std::uint16_t scan, std::uint64_t after_ms = 100) {
    return press(efi::KeyPress{.scan = scan}, after_ms);
  }
  Keyboard& type(std::u16string_view text, std::uint64_t after_ms = 20);
  void press_nothing() { keys_.clear(); }
  std::size_t left() const { return keys_.size(); }

  // ---- Behaviour ----
  // The extended protocol's event is none.
  void break_extended_event();
  // Its event says that a key is there when none is (a held-down modifier).
  void set_claims_ready(bool claims) { claims_ready_ = claims; }
  void fail_reads(Status status) { read_failure_ = status; }

 private:
  struct Plain;
  struct Extended;
  struct Scripted {
    efi::KeyPress key;
    std::uint64_t at_ns = 0;
  };
  bool is_ready() const;
  Status take(EFI_KEY_DATA& key);

  Calls& calls_;
  Clock& clock_;
  std::unique_ptr<Plain> plain_;
  std::unique_ptr<Extended> extended_;
  std::deque<Scripted> keys_;
  std::uint64_t last_ns_ = 0;
  bool claims_ready_ = false;
  std::optional<Status> read_failure_;
};

}  // namespace keelson::sim
