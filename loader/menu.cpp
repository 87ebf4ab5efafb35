// SPDX-License-Identifier: MIT
//
// What the keys of the menu do (loader.md 9).
#include "loader/menu.h"

#include <algorithm>

#include "efi/format/identity.h"

namespace keelson::loader {
namespace {

using efi::KeyPress;

bool is_scan(const KeyPress& key, std::uint16_t code) {
  return key.character == 0 && key.scan == code;
}
bool is_plain(const KeyPress& key, char16_t character) {
  return !key.control && !key.alt && key.character == character;
}
bool is_alt(const KeyPress& key, char16_t character) {
  return key.alt && key.character == character;
}

bool is_up(const KeyPress& key) {
  return is_scan(key, efi::scan::up) || is_scan(key, efi::scan::volume_up) || is_plain(key, u'k') ||
         is_plain(key, u'K');
}
bool is_down(const KeyPress& key) {
  return is_scan(key, efi::scan::down) || is_scan(key, efi::scan::volume_down) ||
         is_plain(key, u'j') || is_plain(key, u'J');
}
bool is_first(const KeyPress& key) { return is_scan(key, efi::scan::home) || is_alt(key, u'<'); }
bool is_last(const KeyPress& key) { return is_scan(key, efi::scan::end) || is_alt(key, u'>'); }
bool is_start(const KeyPress& key) {
  // Suspend is the power key of phones and tablets.
  return is_enter(key) || is_scan(key, efi::scan::right) || key.scan == efi::scan::f3 ||
         is_scan(key, efi::scan::suspend);
}
bool is_setup(const KeyPress& key) {
  return is_plain(key, u'f') || is_plain(key, u'F') || is_scan(key, efi::scan::f2) ||
         is_scan(key, efi::scan::f10) || is_scan(key, efi::scan::del) ||
         is_scan(key, efi::scan::escape) || is_plain(key, 0x1b);
}
bool is_help(const KeyPress& key) {
  return is_plain(key, u'h') || is_plain(key, u'H') || is_plain(key, u'?') ||
         is_scan(key, efi::scan::f1);
}
bool is_redraw(const KeyPress& key) {
  return is_plain(key, u'L') || (key.control && to_lower(key.character) == u'l');
}

std::size_t minus(std::size_t from, std::size_t what) { return from > what ? from - what : 0; }

bool is_mode(const std::optional<MenuTimeout>& timeout, MenuTimeout::Mode mode) {
  return timeout && timeout->mode == mode;
}

}  // namespace

char16_t hot_key_of(const Entry& entry) {
  switch (entry.kind) {
    case EntryKind::linux:
    case EntryKind::uki:
    case EntryKind::type2: return u'l';
    case EntryKind::efi:
    case EntryKind::reboot_to_firmware:
    case EntryKind::power_off:
    case EntryKind::reboot: return 0;
  }
  return 0;
}

std::optional<std::size_t> entry_of_hot_key(std::span<const Entry> entries, const KeyPress& key) {
  if (key.character == 0 || key.control || key.alt) return std::nullopt;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (hot_key_of(entries[i]) == key.character) return i;
  return std::nullopt;
}

bool may_edit(const Entry& entry, bool editor, bool secure_boot) {
  if (!editor || entry.is_action()) return false;
  // The stub would drop what was edited: options that are embedded and signed stand.
  const bool signed_options = entry.kind == EntryKind::uki || entry.kind == EntryKind::type2;
  return !(secure_boot && signed_options && !entry.options.empty());
}

std::optional<MenuTimeout> longer_timeout(std::optional<MenuTimeout> timeout) {
  using enum MenuTimeout::Mode;
  if (!timeout || is_mode(timeout, disabled)) return MenuTimeout{.mode = forced};
  if (is_mode(timeout, forced)) return MenuTimeout{.mode = hidden};
  if (is_mode(timeout, hidden)) return MenuTimeout{.mode = countdown, .seconds = 1};
  if (timeout->seconds < 3600) ++timeout->seconds;
  return timeout;
}

std::optional<MenuTimeout> shorter_timeout(std::optional<MenuTimeout> timeout) {
  using enum MenuTimeout::Mode;
  if (!timeout || is_mode(timeout, forced) || is_mode(timeout, disabled)) return std::nullopt;
  if (is_mode(timeout, hidden)) return MenuTimeout{.mode = forced};
  if (timeout->seconds <= 1) return MenuTimeout{.mode = hidden};
  --timeout->seconds;
  return timeout;
}

Menu::Menu(const MenuSetup& setup)
    : setup_(setup),
      settings_(setup.settings),
      highlighted_(std::min(setup.highlighted, minus(setup.entries.size(), 1))),
      countdown_s_(setup.countdown_s) {}

bool Menu::tick() {
  if (!countdown_s_) return false;
  if (*countdown_s_ > 0) --*countdown_s_;
  return *countdown_s_ == 0;
}

std::optional<std::u16string_view> Menu::edited() const {
  if (!edited_) return std::nullopt;
  return editor_.text();
}

void Menu::begin_editing(std::span<char16_t> room) {
  editor_ = LineEditor(room, entry().options);
  page_ = Page::editor;
}

void Menu::show_status(std::span<const std::u16string_view> lines) {
  status_lines_ = lines;
  first_status_line_ = 0;
  page_ = Page::status;
}

MenuRequest Menu::press(const KeyPress& key, std::size_t page_rows) {
  countdown_s_.reset();
  switch (page_) {
    case Page::list: return press_in_list(key, page_rows);
    case Page::editor: return press_in_editor(key);
    case Page::status: return press_in_status(key, page_rows);
    case Page::confirm_setup:
      page_ = Page::list;
      return is_enter(key) ? MenuRequest::firmware_setup : MenuRequest::none;
  }
  return MenuRequest::none;
}

MenuRequest Menu::press_in_list(const KeyPress& key, std::size_t page_rows) {
  message_ = {};
  if (is_start(key)) return MenuRequest::start;
  if (move_highlight(key, page_rows)) return MenuRequest::none;
  if (is_setup(key)) return ask_for_setup();
  if (is_redraw(key)) return MenuRequest::redraw;
  if (is_help(key)) {
    say("e edit  d D default  t T timeout  r R mode  f setup  O off  B reboot  Q leave");
    return MenuRequest::none;
  }
  if (key.control || key.alt || key.character == 0) return MenuRequest::none;
  return press_letter(key);
}

bool Menu::move_highlight(const KeyPress& key, std::size_t page_rows) {
  const std::size_t last = minus(setup_.entries.size(), 1);
  if (is_up(key)) {
    highlighted_ = minus(highlighted_, 1);
  } else if (is_down(key)) {
    highlighted_ = std::min(highlighted_ + 1, last);
  } else if (is_first(key)) {
    highlighted_ = 0;
  } else if (is_last(key)) {
    highlighted_ = last;
  } else if (is_scan(key, efi::scan::page_up)) {
    highlighted_ = minus(highlighted_, std::max<std::size_t>(page_rows, 1));
  } else if (is_scan(key, efi::scan::page_down)) {
    highlighted_ = std::min(highlighted_ + std::max<std::size_t>(page_rows, 1), last);
  } else if (!key.control && !key.alt && key.character >= u'1' && key.character <= u'9') {
    highlighted_ = std::min(static_cast<std::size_t>(key.character - u'1'), last);
  } else {
    return false;
  }
  return true;
}

MenuRequest Menu::press_letter(const KeyPress& key) {
  switch (key.character) {
    case u'd': toggle_mark(Mark::preferred); return MenuRequest::none;
    case u'D': toggle_mark(Mark::fallback); return MenuRequest::none;
    case u't':
    case u'+': change_timeout(true); return MenuRequest::none;
    case u'T':
    case u'-': change_timeout(false); return MenuRequest::none;
    case u'e':
    case u'E': return ask_for_editing();
    case u'r': return MenuRequest::next_console_mode;
    case u'R': return MenuRequest::reset_console_mode;
    case u'O': return MenuRequest::power_off;
    case u'B': return MenuRequest::reboot;
    case u'p':
    case u'P': return MenuRequest::status_page;
    case u'v': say(identity::boot_product); return MenuRequest::none;
    case u'Q': return MenuRequest::leave;
    default: highlight_next_with(key.character); return MenuRequest::none;
  }
}

MenuRequest Menu::press_in_editor(const KeyPress& key) {
  switch (editor_.press(key)) {
    case LineEditor::Outcome::edited: return MenuRequest::none;
    case LineEditor::Outcome::cancelled: page_ = Page::list; return MenuRequest::none;
    case LineEditor::Outcome::accepted:
      page_ = Page::list;
      edited_ = editor_.text() != entry().options;
      return MenuRequest::start;
  }
  return MenuRequest::none;
}

MenuRequest Menu::press_in_status(const KeyPress& key, std::size_t page_rows) {
  const std::size_t last_first = minus(status_lines_.size(), page_rows);
  if (is_up(key)) {
    first_status_line_ = minus(first_status_line_, 1);
  } else if (is_down(key)) {
    first_status_line_ = std::min(first_status_line_ + 1, last_first);
  } else if (is_scan(key, efi::scan::page_up)) {
    first_status_line_ = minus(first_status_line_, page_rows);
  } else if (is_scan(key, efi::scan::page_down) || is_plain(key, u' ')) {
    first_status_line_ = std::min(first_status_line_ + page_rows, last_first);
  } else if (is_first(key)) {
    first_status_line_ = 0;
  } else if (is_last(key)) {
    first_status_line_ = last_first;
  } else {
    page_ = Page::list;
  }
  return MenuRequest::none;
}

void Menu::toggle_mark(Mark mark) {
  if (entry().is_action()) {
    say("This line cannot be the default.");
    return;
  }
  if (settings_.mark == mark && settings_.marked == highlighted_) {
    settings_.mark = Mark::none;
    settings_.marked = 0;
    say("Default entry: as loader.conf says.");
    return;
  }
  settings_.mark = mark;
  settings_.marked = highlighted_;
  if (mark == Mark::preferred)
    say("Preferred entry, unless it turns bad: ", entry().shown_title);
  else
    say("Default entry, even if it turns bad: ", entry().shown_title);
}

void Menu::change_timeout(bool longer) {
  settings_.timeout = longer ? longer_timeout(settings_.timeout) : shorter_timeout(settings_.timeout);
  if (!settings_.timeout)
    say("Menu timeout: as loader.conf says.");
  else if (is_mode(settings_.timeout, MenuTimeout::Mode::forced))
    say("Menu timeout: none, the menu waits.");
  else if (is_mode(settings_.timeout, MenuTimeout::Mode::hidden))
    say("Menu timeout: 0, hidden unless a key is held down.");
  else
    say("Menu timeout: ", settings_.timeout->seconds, " s.");
}

void Menu::highlight_next_with(char16_t hot_key) {
  const std::size_t count = setup_.entries.size();
  for (std::size_t step = 1; step <= count; ++step) {
    const std::size_t candidate = (highlighted_ + step) % count;
    if (hot_key_of(setup_.entries[candidate]) == hot_key) {
      highlighted_ = candidate;
      return;
    }
  }
}

MenuRequest Menu::ask_for_editing() {
  if (may_edit(entry(), setup_.editor, setup_.secure_boot)) return MenuRequest::edit;
  if (entry().is_action())
    say("There is nothing to edit here.");
  else if (!setup_.editor)
    say("loader.conf does not allow editing.");
  else
    say("Secure Boot protects the options of this entry.");
  return MenuRequest::none;
}

MenuRequest Menu::ask_for_setup() {
  if (setup_.firmware_setup)
    page_ = Page::confirm_setup;
  else
    say("This firmware cannot be told to open its setup.");
  return MenuRequest::none;
}

}  // namespace keelson::loader
