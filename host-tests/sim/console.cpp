// SPDX-License-Identifier: MIT
//
// Screen and keyboard (console.h).
#include "host-tests/sim/console.h"

#include <algorithm>

#include "host-tests/utf16.h"

namespace keelson::sim {
namespace {

using efi::Status;
namespace status = efi::status;

constexpr std::uint8_t default_attribute = EFI_LIGHTGRAY;
constexpr std::size_t highest_attribute = 0x7f;

// What screens can show: the characters of UEFI 2.10, appendix of 12.4, and Latin 1.
bool can_show(char16_t c) {
  return c == u'\b' || c == u'\n' || c == u'\r' || (c >= 0x20 && c < 0x7f) ||
         (c >= 0xa0 && c < 0x100) || (c >= 0x2500 && c < 0x2600) || c == 0x2191 || c == 0x2193;
}

std::string without_trailing_blanks(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

// ---- Screen ----

struct Screen::Protocol : SIMPLE_TEXT_OUTPUT_INTERFACE {
  explicit Protocol(Screen& owner) : SIMPLE_TEXT_OUTPUT_INTERFACE{}, screen(&owner), state{} {
    Mode = &state;
    Reset = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, BOOLEAN) EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("ConOut.Reset")) return *failure;
      from(self).protocol_->state.Attribute = default_attribute;
      from(self).clear();
      return EFI_SUCCESS;
    };
    OutputString = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, CHAR16* text)
                       EFIAPI -> EFI_STATUS { return from(self).output(text); };
    TestString = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, CHAR16* text) EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("ConOut.TestString")) return *failure;
      return std::ranges::all_of(std::u16string_view(text), can_show) ? EFI_SUCCESS
                                                                      : EFI_UNSUPPORTED;
    };
    QueryMode = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, UINTN mode, UINTN* columns, UINTN* rows)
                    EFIAPI -> EFI_STATUS { return from(self).query(mode, columns, rows); };
    SetMode = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, UINTN mode) EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("ConOut.SetMode")) return *failure;
      return from(self).set_mode(mode);
    };
    SetAttribute = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, UINTN attribute) EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("ConOut.SetAttribute")) return *failure;
      if (attribute > highest_attribute) return EFI_UNSUPPORTED;
      from(self).protocol_->state.Attribute = static_cast<INT32>(attribute);
      return EFI_SUCCESS;
    };
    ClearScreen = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self) EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("ConOut.ClearScreen")) return *failure;
      from(self).clear();
      return EFI_SUCCESS;
    };
    SetCursorPosition = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, UINTN column, UINTN row)
                            EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("ConOut.SetCursorPosition")) return *failure;
      const efi::Cells size = from(self).size();
      if (column >= size.columns || row >= size.rows) return EFI_UNSUPPORTED;
      from(self).protocol_->state.CursorColumn = static_cast<INT32>(column);
      from(self).protocol_->state.CursorRow = static_cast<INT32>(row);
      return EFI_SUCCESS;
    };
    EnableCursor = [](SIMPLE_TEXT_OUTPUT_INTERFACE* self, BOOLEAN visible) EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("ConOut.EnableCursor")) return *failure;
      from(self).protocol_->state.CursorVisible = visible;
      return EFI_SUCCESS;
    };
  }
  static Screen& from(SIMPLE_TEXT_OUTPUT_INTERFACE* self) {
    return *static_cast<Protocol*>(self)->screen;
  }
  Screen* screen;
  SIMPLE_TEXT_OUTPUT_MODE state;
  std::size_t real_mode = 0;  // also while `state` names an invalid one
};

Screen::Screen(Calls& calls, std::vector<efi::Cells> modes)
    : calls_(calls), protocol_(std::make_unique<Protocol>(*this)), modes_(std::move(modes)) {
  power_cycle();
}
Screen::~Screen() = default;

SIMPLE_TEXT_OUTPUT_INTERFACE* Screen::protocol() { return protocol_.get(); }

void Screen::power_cycle() {
  protocol_->state = {.MaxMode = static_cast<INT32>(modes_.size()),
                      .Mode = 0,
                      .Attribute = default_attribute,
                      .CursorColumn = 0,
                      .CursorRow = 0,
                      .CursorVisible = TRUE};
  protocol_->real_mode = 0;
  clear();
}

void Screen::break_mode(std::int32_t mode) { protocol_->state.Mode = mode; }

efi::Cells Screen::size() const { return modes_[protocol_->real_mode]; }
std::size_t Screen::mode() const { return protocol_->real_mode; }
bool Screen::cursor_visible() const { return protocol_->state.CursorVisible != FALSE; }

void Screen::clear() {
  const auto attribute = static_cast<std::uint8_t>(protocol_->state.Attribute);
  cells_.assign(size().columns * size().rows, Cell{.character = u' ', .attribute = attribute});
  protocol_->state.CursorColumn = protocol_->state.CursorRow = 0;
}

void Screen::line_feed() {
  INT32& row = protocol_->state.CursorRow;
  if (static_cast<std::size_t>(row) + 1 < size().rows) {
    ++row;
    return;
  }
  const auto columns = static_cast<std::ptrdiff_t>(size().columns);
  std::shift_left(cells_.begin(), cells_.end(), columns);
  const auto attribute = static_cast<std::uint8_t>(protocol_->state.Attribute);
  std::fill(cells_.end() - columns, cells_.end(), Cell{.character = u' ', .attribute = attribute});
}

void Screen::put(char16_t character) {
  SIMPLE_TEXT_OUTPUT_MODE& state = protocol_->state;
  switch (character) {
    case u'\r':
      state.CursorColumn = 0;
      return;
    case u'\n':
      line_feed();
      return;
    case u'\b':
      if (state.CursorColumn > 0) --state.CursorColumn;
      return;
    default:
      break;
  }
  const std::size_t at = static_cast<std::size_t>(state.CursorRow) * size().columns +
                         static_cast<std::size_t>(state.CursorColumn);
  cells_[at] = {.character = character, .attribute = static_cast<std::uint8_t>(state.Attribute)};
  if (static_cast<std::size_t>(++state.CursorColumn) == size().columns) {
    state.CursorColumn = 0;
    line_feed();
  }
}

Status Screen::output(const char16_t* text) {
  if (text == nullptr) return status::invalid_parameter;
  const std::u16string_view all(text);
  printed_ += utf8(all);
  std::erase(printed_, '\r');
  if (const auto failure = calls_.enter("ConOut.OutputString")) return *failure;
  bool unknown = false;
  for (const char16_t c : all) {
    unknown |= !can_show(c);
    put(can_show(c) ? c : u'?');
  }
  return unknown ? EFI_WARN_UNKNOWN_GLYPH : EFI_SUCCESS;
}

Status Screen::query(std::size_t mode, UINTN* columns, UINTN* rows) {
  if (const auto failure = calls_.enter("ConOut.QueryMode")) return *failure;
  if (mode >= modes_.size() || modes_[mode].columns == 0) return status::unsupported;
  *columns = modes_[mode].columns;
  *rows = modes_[mode].rows;
  return status::success;
}

Status Screen::set_mode(std::size_t mode) {
  if (mode >= modes_.size() || modes_[mode].columns == 0) return status::unsupported;
  protocol_->state.Mode = static_cast<INT32>(mode);
  protocol_->real_mode = mode;
  clear();
  return status::success;
}

std::string Screen::row(std::size_t row) const {
  std::u16string text;
  for (std::size_t column = 0; column < size().columns; ++column)
    text += cells_[row * size().columns + column].character;
  return without_trailing_blanks(utf8(text));
}

std::string Screen::text() const {
  std::string text;
  for (std::size_t i = 0; i < size().rows; ++i) text += row(i) + "\n";
  text.erase(text.find_last_not_of('\n') + 1);
  return text.empty() ? text : text + "\n";
}

std::uint8_t Screen::attribute_at(std::size_t column, std::size_t row) const {
  return cells_[row * size().columns + column].attribute;
}

std::optional<std::size_t> Screen::highlighted_row() const {
  for (std::size_t row = 0; row < size().rows; ++row)
    for (std::size_t column = 0; column < size().columns; ++column)
      if (attribute_at(column, row) >> 4 != EFI_BLACK) return row;
  return std::nullopt;
}

// ---- Keyboard ----

struct Keyboard::Plain : SIMPLE_INPUT_INTERFACE {
  explicit Plain(Keyboard& owner) : SIMPLE_INPUT_INTERFACE{}, keyboard(&owner) {
    Reset = [](SIMPLE_INPUT_INTERFACE*, BOOLEAN) EFIAPI -> EFI_STATUS { return EFI_SUCCESS; };
    ReadKeyStroke = [](SIMPLE_INPUT_INTERFACE* self, EFI_INPUT_KEY* key) EFIAPI -> EFI_STATUS {
      Keyboard& keyboard = *static_cast<Plain*>(self)->keyboard;
      if (key == nullptr) return EFI_INVALID_PARAMETER;
      if (const auto failure = keyboard.calls_.enter("ConIn.ReadKeyStroke")) return *failure;
      EFI_KEY_DATA data{};
      const Status result = keyboard.take(data);
      if (!efi::failed(result)) *key = data.Key;
      return result;
    };
  }
  Keyboard* keyboard;
};

struct Keyboard::Extended : EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL {
  explicit Extended(Keyboard& owner) : EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL{}, keyboard(&owner) {
    Reset = [](EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL*, BOOLEAN)
                EFIAPI -> EFI_STATUS { return EFI_SUCCESS; };
    ReadKeyStrokeEx = [](EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL* self, EFI_KEY_DATA* data)
                          EFIAPI -> EFI_STATUS {
      Keyboard& keyboard = *static_cast<Extended*>(self)->keyboard;
      if (data == nullptr) return EFI_INVALID_PARAMETER;
      if (const auto failure = keyboard.calls_.enter("ConInEx.ReadKeyStrokeEx")) return *failure;
      return keyboard.take(*data);
    };
    SetState = [](EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL*, EFI_KEY_TOGGLE_STATE*)
                   EFIAPI -> EFI_STATUS { return EFI_UNSUPPORTED; };
    RegisterKeyNotify =
        [](EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL*, EFI_KEY_DATA*, EFI_KEY_NOTIFY_FUNCTION, void**)
            EFIAPI -> EFI_STATUS { return EFI_OUT_OF_RESOURCES; };
    UnregisterKeyNotify = [](EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL*, void*)
                              EFIAPI -> EFI_STATUS { return EFI_INVALID_PARAMETER; };
  }
  Keyboard* keyboard;
};

Keyboard::Keyboard(Calls& calls, Events& events, Clock& clock)
    : calls_(calls),
      clock_(clock),
      plain_(std::make_unique<Plain>(*this)),
      extended_(std::make_unique<Extended>(*this)) {
  const auto add_event = [&] {
    return events.add_device({.is_signalled = [this] { return claims_ready_ || is_ready(); },
                              .next_ns = [this]() -> std::optional<std::uint64_t> {
                                return keys_.empty() ? std::nullopt
                                                     : std::optional(keys_.front().at_ns);
                              }});
  };
  plain_->WaitForKey = add_event();
  extended_->WaitForKeyEx = add_event();
}
Keyboard::~Keyboard() = default;

SIMPLE_INPUT_INTERFACE* Keyboard::plain() { return plain_.get(); }
EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL* Keyboard::extended() { return extended_.get(); }

Keyboard& Keyboard::press(efi::KeyPress key, std::uint64_t after_ms) {
  if (keys_.empty()) last_ns_ = clock_.now_ns();
  last_ns_ += after_ms * 1'000'000;
  keys_.push_back({.key = key, .at_ns = last_ns_});
  return *this;
}

Keyboard& Keyboard::type(std::u16string_view text, std::uint64_t after_ms) {
  for (const char16_t character : text) press(character, after_ms);
  return *this;
}

void Keyboard::break_extended_event() { extended_->WaitForKeyEx = nullptr; }

bool Keyboard::is_ready() const { return !keys_.empty() && keys_.front().at_ns <= clock_.now_ns(); }

// As firmware does it: Ctrl with a letter arrives as the letter (some send the control code).
Status Keyboard::take(EFI_KEY_DATA& data) {
  if (read_failure_) return *read_failure_;
  if (!is_ready()) {
    if (claims_ready_) clock_.advance_us(1000);  // whoever trusts the event asks again and again
    return status::not_ready;
  }
  const efi::KeyPress key = keys_.front().key;
  keys_.pop_front();
  data = {};
  data.Key.ScanCode = key.scan;
  data.Key.UnicodeChar = key.character;
  data.KeyState.KeyShiftState = EFI_SHIFT_STATE_VALID;
  if (key.shift) data.KeyState.KeyShiftState |= EFI_LEFT_SHIFT_PRESSED;
  if (key.control) data.KeyState.KeyShiftState |= EFI_RIGHT_CONTROL_PRESSED;
  if (key.alt) data.KeyState.KeyShiftState |= EFI_LEFT_ALT_PRESSED;
  return status::success;
}

}  // namespace keelson::sim
