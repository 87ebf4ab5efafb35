// SPDX-License-Identifier: MIT
//
// Decides which consoles a kernel is told of; see console_words.h.
#include "efi/format/console_words.h"

#include <array>

#include "efi/base/text.h"

namespace keelson {
namespace {

// By I/O address: that port is used from the first message on, and Linux hands over to the ttyS
// with that address (COM1 to COM4, by their UIDs).
constexpr std::array<std::u16string_view, 4> pc_serial_words = {
    u"console=uart,io,0x3f8", u"console=uart,io,0x2f8", u"console=uart,io,0x3e8",
    u"console=uart,io,0x2e8"};

std::u16string_view serial_word(const ConsoleFacts& facts) {
  if (!facts.pc_serial_port || *facts.pc_serial_port >= pc_serial_words.size()) return {};
  return pc_serial_words[*facts.pc_serial_port];
}

}  // namespace

bool has_console_word(std::u16string_view command_line) {
  return command_line.starts_with(u"console=") ||
         command_line.find(u" console=") != std::u16string_view::npos;
}

Result<std::u16string_view> console_words(const ConsoleFacts& facts, TextArena& arena) {
  const std::u16string_view serial = serial_word(facts);
  const std::u16string_view virtio = facts.virtio_consoles == 1 ? u"console=hvc0" : u"";
  if (serial.empty() && virtio.empty()) return std::u16string_view();
  const std::u16string_view graphics = facts.graphics ? u"console=tty0" : u"";
  const auto space_between = [](bool left, bool right) {
    return std::u16string_view(left && right ? u" " : u"");
  };
  return concatenate({serial, space_between(!serial.empty(), !virtio.empty()), virtio,
                      space_between(true, !graphics.empty()), graphics},
                     arena);
}

}  // namespace keelson
