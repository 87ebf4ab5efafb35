// SPDX-License-Identifier: MIT
//
// Owns the state of the menu and what each key does to it (loader.md 9): highlighted entry,
// countdown, editor, the settings that are changed with keys. Pure: it asks for nothing and writes
// nothing; choose carries out what it requests, menu_rows says how it looks.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "efi/base/diagnostics.h"
#include "efi/format/entry_list.h"
#include "efi/format/loader_conf.h"
#include "loader/line_editor.h"
#include "loader/plan.h"

namespace keelson::loader {

// What the highlighted line may be made with `d` and `D`.
enum class Mark : std::uint8_t { none, preferred, fallback };

// The settings that live in variables and that keys change. The menu is left with the new ones;
// whoever writes them compares.
struct MenuSettings {
  std::optional<MenuTimeout> timeout = std::nullopt;  // LoaderConfigTimeout; nullopt: not set
  Mark mark = Mark::none;  // LoaderEntryPreferred, LoaderEntryDefault
  std::size_t marked = 0;  // entry, unless mark is none
  friend bool operator==(const MenuSettings&, const MenuSettings&) = default;
};

struct MenuSetup {
  std::span<const Entry> entries;          // not empty
  std::span<const Candidate> states = {};  // what failed in this boot; may be empty
  std::size_t highlighted = 0;
  std::optional<std::uint32_t> countdown_s = std::nullopt;
  AtZero at_zero = AtZero::boot_highlighted;
  bool keys = true;  // false: a message and a countdown
  bool editor = true;
  bool secure_boot = false;
  bool firmware_setup = false;      // the firmware can be told to open its setup
  std::string_view notice = {};     // what went wrong before; UTF-8
  MenuSettings settings = {};
};

enum class MenuRequest : std::uint8_t {
  none,
  start,  // the highlighted entry, with edited() if that is set
  power_off,
  reboot,
  firmware_setup,
  leave,
  redraw,
  next_console_mode,
  reset_console_mode,
  status_page,  // give it to show_status()
  edit,         // give room for the text to begin_editing()
};

class Menu {
 public:
  enum class Page : std::uint8_t { list, editor, confirm_setup, status };

  explicit Menu(const MenuSetup& setup);

  // `page_rows`: how many entries or lines are on the screen at once.
  MenuRequest press(const efi::KeyPress& key, std::size_t page_rows);
  // A second of the countdown has passed; true when it has ended.
  bool tick();

  // Answers to MenuRequest::edit and status_page; both must live as long as the page is shown.
  void begin_editing(std::span<char16_t> room);
  void show_status(std::span<const std::u16string_view> lines);
  // One line below the list until the next key.
  template <class... Parts>
  void say(const Parts&... parts) {
    message_ = {};
    (print(message_, parts), ...);
  }

  const MenuSetup& setup() const { return setup_; }
  Page page() const { return page_; }
  std::size_t highlighted() const { return highlighted_; }
  const Entry& entry() const { return setup_.entries[highlighted_]; }
  std::optional<std::uint32_t> countdown_s() const { return countdown_s_; }
  const MenuSettings& settings() const { return settings_; }
  const LineEditor& editor() const { return editor_; }
  // The options as edited; nullopt: as the entry has them.
  std::optional<std::u16string_view> edited() const;
  std::span<const std::u16string_view> status_lines() const { return status_lines_; }
  std::size_t first_status_line() const { return first_status_line_; }
  std::string_view message() const { return message_.text(); }

 private:
  MenuRequest press_in_list(const efi::KeyPress& key, std::size_t page_rows);
  MenuRequest press_in_editor(const efi::KeyPress& key);
  MenuRequest press_in_status(const efi::KeyPress& key, std::size_t page_rows);
  bool move_highlight(const efi::KeyPress& key, std::size_t page_rows);
  MenuRequest press_letter(const efi::KeyPress& key);
  void toggle_mark(Mark mark);
  void change_timeout(bool longer);
  void highlight_next_with(char16_t hot_key);
  MenuRequest ask_for_editing();
  MenuRequest ask_for_setup();

  MenuSetup setup_;
  MenuSettings settings_;
  std::size_t highlighted_ = 0;
  std::optional<std::uint32_t> countdown_s_;
  Page page_ = Page::list;
  LineEditor editor_;
  bool edited_ = false;
  std::span<const std::u16string_view> status_lines_;
  std::size_t first_status_line_ = 0;
  Line message_;
};

// The letter that highlights an entry, and starts it when the menu is hidden; 0: none.
char16_t hot_key_of(const Entry& entry);
// The first entry a key starts while the menu is hidden.
std::optional<std::size_t> entry_of_hot_key(std::span<const Entry> entries,
                                            const efi::KeyPress& key);

// Whether the options of `entry` may be edited.
bool may_edit(const Entry& entry, bool editor, bool secure_boot);

// One step along unset, menu-force, menu-hidden, 1, 2, ... seconds.
std::optional<MenuTimeout> longer_timeout(std::optional<MenuTimeout> timeout);
std::optional<MenuTimeout> shorter_timeout(std::optional<MenuTimeout> timeout);

}  // namespace keelson::loader
