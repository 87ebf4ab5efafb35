// SPDX-License-Identifier: MIT
//
// Screen and keyboard (console.h).
#include "efi/firmware/console.h"

#include <algorithm>

#include "efi/base/text.h"
#include "efi/firmware/protocol.h"
#include "efi/firmware/system.h"

namespace keelson::efi {
namespace {

using KeyboardEx = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL;

// Firmware takes texts with a NUL; ours are cut into pieces of this many units.
constexpr std::size_t piece_size = 255;
// An attribute change that firmware believes to be redundant is skipped by some: another one first.
constexpr UINTN brightness = 8;

constexpr UINTN value_of(Attribute attribute) {
  return static_cast<UINTN>(attribute.foreground) | (static_cast<UINTN>(attribute.background) & 7)
                                                        << 4;
}

// Timers count in units of 100 ns, and the watchdog is re-armed at least twice in its time.
constexpr std::uint64_t timer_units_per_ms = 10'000;
constexpr std::uint64_t longest_wait_ms = 150'000;

// Whether the firmware means it: some hand out an interface whose event is none.
bool works(KeyboardEx* keyboard) {
  return keyboard != nullptr && keyboard->WaitForKeyEx != nullptr &&
         boot_services().CheckEvent(keyboard->WaitForKeyEx) != EFI_INVALID_PARAMETER;
}

bool is_ready(EFI_EVENT event) { return boot_services().CheckEvent(event) == EFI_SUCCESS; }

constexpr char16_t last_control = 26;  // Ctrl-Z

// Control codes that are keys of their own: backspace, tab, both forms of Enter.
constexpr bool is_own_key(char16_t code) {
  return code == 8 || code == 9 || code == 10 || code == 13;
}

KeyPress to_key_press(const EFI_INPUT_KEY& key, std::uint32_t shift_state) {
  KeyPress press{.character = key.UnicodeChar, .scan = key.ScanCode};
  if ((shift_state & EFI_SHIFT_STATE_VALID) != 0) {
    press.shift = (shift_state & (EFI_LEFT_SHIFT_PRESSED | EFI_RIGHT_SHIFT_PRESSED)) != 0;
    press.control = (shift_state & (EFI_LEFT_CONTROL_PRESSED | EFI_RIGHT_CONTROL_PRESSED)) != 0;
    press.alt = (shift_state & (EFI_LEFT_ALT_PRESSED | EFI_RIGHT_ALT_PRESSED)) != 0;
  }
  if (press.character != 0) press.shift = false;
  if (press.character >= 1 && press.character <= last_control &&
      (press.control || !is_own_key(press.character))) {
    press.control = true;
    press.character = static_cast<char16_t>(press.character + u'a' - 1);
  }
  if (press.control) press.character = to_lower(press.character);
  return press;
}

// Keys that only changed a modifier say nothing.
std::optional<KeyPress> if_any(const KeyPress& press) {
  if (press.character == 0 && press.scan == 0) return std::nullopt;
  return press;
}

}  // namespace

Console::Console() : output_(system_table().ConOut) {}
Console::Console(Console&& other) noexcept
    : output_(other.output_),
      keyboard_(other.keyboard_),
      other_keyboard_(other.other_keyboard_),
      searched_keyboards_(other.searched_keyboards_),
      timer_(std::exchange(other.timer_, nullptr)) {}
Console::~Console() {
  if (timer_ != nullptr) boot_services().CloseEvent(timer_);
}

// ---- Screen ----

void Console::write(std::u16string_view text) {
  if (output_ == nullptr) return;
  char16_t piece[piece_size + 1];
  while (!text.empty()) {
    const std::size_t size = std::min(text.size(), piece_size);
    std::copy_n(text.data(), size, piece);
    piece[size] = 0;
    output_->OutputString(output_, piece);
    text.remove_prefix(size);
  }
}

void Console::write_line(std::u16string_view text) {
  write(text);
  write(u"\r\n");
}

void Console::write_line(std::string_view utf8) {
  while (!utf8.empty()) {
    std::size_t size = std::min(utf8.size(), piece_size);
    // Not in the middle of a character.
    while (size < utf8.size() && size > piece_size - 4 && (utf8[size] & 0xc0) == 0x80) --size;
    char16_t piece[piece_size];
    const auto text = to_utf16(utf8.substr(0, size), BadText::replace, piece);
    if (text.has_value()) {
      make_printable({piece, text->size()});
      write(*text);
    }
    utf8.remove_prefix(size);
  }
  write(u"\r\n");
}

void Console::write_at(std::size_t column, std::size_t row, std::u16string_view text,
                       Attribute attribute) {
  move_cursor(column, row);
  set_attribute(attribute);
  write(text);
}

void Console::set_attribute(Attribute attribute) {
  if (output_ == nullptr) return;
  output_->SetAttribute(output_, value_of(attribute) ^ brightness);
  output_->SetAttribute(output_, value_of(attribute));
}

void Console::clear(Attribute attribute) {
  if (output_ == nullptr) return;
  set_attribute(attribute);
  output_->ClearScreen(output_);
}

void Console::show_cursor(bool visible) {
  if (output_ != nullptr) output_->EnableCursor(output_, visible ? TRUE : FALSE);
}

void Console::move_cursor(std::size_t column, std::size_t row) {
  if (output_ != nullptr) output_->SetCursorPosition(output_, column, row);
}

bool Console::can_show(std::u16string_view text) {
  char16_t piece[piece_size + 1];
  if (output_ == nullptr || text.size() > piece_size) return false;
  std::copy_n(text.data(), text.size(), piece);
  piece[text.size()] = 0;
  return !failed(output_->TestString(output_, piece));
}

std::size_t Console::mode_count() const {
  if (output_ == nullptr || output_->Mode == nullptr || output_->Mode->MaxMode < 0) return 0;
  return static_cast<std::size_t>(output_->Mode->MaxMode);
}

std::optional<std::size_t> Console::mode() const {
  if (output_ == nullptr || output_->Mode == nullptr || output_->Mode->Mode < 0)
    return std::nullopt;
  const auto mode = static_cast<std::size_t>(output_->Mode->Mode);
  if (mode >= mode_count()) return std::nullopt;
  return mode;
}

std::optional<Cells> Console::mode_size(std::size_t mode) const {
  UINTN columns = 0;
  UINTN rows = 0;
  if (output_ == nullptr || mode >= mode_count() ||
      failed(output_->QueryMode(output_, mode, &columns, &rows)) || columns == 0 || rows == 0)
    return std::nullopt;
  return Cells{.columns = columns, .rows = rows};
}

Cells Console::size() const {
  const auto current = mode();
  const auto size = current ? mode_size(*current) : std::nullopt;
  return size.value_or(Cells());
}

Result<> Console::set_mode(std::size_t mode) {
  if (output_ == nullptr) return fail(Errc::not_found, "no screen");
  return check(output_->SetMode(output_, mode), "console mode cannot be set");
}

void Console::reset_screen() {
  if (output_ == nullptr) return;
  output_->Reset(output_, FALSE);
  output_->SetMode(output_, 0);
}

std::optional<Console::Pixels> Console::frame_buffer() const {
  const auto* const graphics =
      interface_on<EFI_GRAPHICS_OUTPUT_PROTOCOL>(system_table().ConsoleOutHandle);
  if (graphics == nullptr || graphics->Mode == nullptr || graphics->Mode->Info == nullptr)
    return std::nullopt;
  return Pixels{.width = graphics->Mode->Info->HorizontalResolution,
                .height = graphics->Mode->Info->VerticalResolution};
}

// ---- Keyboard ----

// ConIn's extended protocol, and the first other device with one: on some firmware the former never
// delivers anything. ConIn itself is used only if there is neither, because two protocols of one
// device can both deliver the same key.
void Console::find_keyboards() {
  if (searched_keyboards_) return;
  searched_keyboards_ = true;
  keyboard_ = interface_on<KeyboardEx>(system_table().ConsoleInHandle);
  other_keyboard_ = locate<KeyboardEx>();
  if (other_keyboard_ == keyboard_) other_keyboard_ = nullptr;
  if (!works(keyboard_)) keyboard_ = nullptr;
  if (!works(other_keyboard_)) other_keyboard_ = nullptr;
}

Result<std::optional<KeyPress>> Console::poll_key() {
  find_keyboards();
  if (other_keyboard_ != nullptr && is_ready(other_keyboard_->WaitForKeyEx))
    keyboard_ = std::exchange(other_keyboard_, nullptr);
  if (keyboard_ != nullptr) {
    EFI_KEY_DATA data{};
    if (!is_ready(keyboard_->WaitForKeyEx)) return std::nullopt;
    const Status result = keyboard_->ReadKeyStrokeEx(keyboard_, &data);
    if (result == status::not_ready) return std::nullopt;
    TRY(check(result, "keyboard cannot be read"));
    return if_any(to_key_press(data.Key, data.KeyState.KeyShiftState));
  }
  SIMPLE_INPUT_INTERFACE* const plain = system_table().ConIn;
  if (plain == nullptr || !is_ready(plain->WaitForKey)) return std::nullopt;
  EFI_INPUT_KEY key{};
  const Status result = plain->ReadKeyStroke(plain, &key);
  if (result == status::not_ready) return std::nullopt;
  TRY(check(result, "keyboard cannot be read"));
  return if_any(to_key_press(key, 0));
}

// One wait, at most longest_wait_ms: a key, or nullopt when the time is over.
Result<std::optional<KeyPress>> Console::wait_once(std::uint64_t timeout_ms) {
  find_keyboards();
  EFI_BOOT_SERVICES& services = boot_services();
  if (timer_ == nullptr)
    TRY(check(services.CreateEvent(EVT_TIMER, 0, nullptr, nullptr, &timer_), "no timer"));
  TRY(check(services.SetTimer(timer_, TimerRelative, timeout_ms * timer_units_per_ms),
            "timer cannot be set"));

  // The timer comes first: it ends the waiting even if a device claims to be ready for ever.
  EFI_EVENT events[3] = {timer_};
  UINTN count = 1;
  if (keyboard_ != nullptr)
    events[count++] = keyboard_->WaitForKeyEx;
  else if (other_keyboard_ == nullptr && system_table().ConIn != nullptr)
    events[count++] = system_table().ConIn->WaitForKey;
  if (other_keyboard_ != nullptr) events[count++] = other_keyboard_->WaitForKeyEx;

  bool timer_fired = false;
  while (!timer_fired) {
    rearm_watchdog();
    UINTN index = 0;
    TRY(check(services.WaitForEvent(count, events, &index), "waiting for a key failed"));
    timer_fired = index == 0;
    if (timer_fired) break;
    auto key = poll_key();
    if (!key.has_value() || key->has_value()) {
      services.SetTimer(timer_, TimerCancel, 0);
      return key;
    }
  }
  return std::nullopt;
}

Result<std::optional<KeyPress>> Console::wait_key(std::uint64_t timeout_ms) {
  const auto ready = TRY(poll_key());
  if (ready) return ready;
  while (timeout_ms != 0) {
    const std::uint64_t part = std::min(timeout_ms, longest_wait_ms);
    const auto key = TRY(wait_once(part));
    if (key) return key;
    timeout_ms -= part;
  }
  return std::nullopt;
}

Result<KeyPress> Console::wait_key() {
  find_keyboards();
  if (keyboard_ == nullptr && other_keyboard_ == nullptr && system_table().ConIn == nullptr)
    return fail(Errc::not_found, "no keyboard");
  std::optional<KeyPress> key = TRY(poll_key());
  while (!key) key = TRY(wait_once(longest_wait_ms));
  return *key;
}

void Console::drain_keys() {
  // Bounded: a key that is held down delivers for ever.
  constexpr int most_keys = 64;
  for (int i = 0; i < most_keys; ++i) {
    const auto key = poll_key();
    if (!key.has_value() || !key->has_value()) return;
  }
}

}  // namespace keelson::efi
