// SPDX-License-Identifier: MIT
//
// Owns which `console=` words a kernel gets that was told of none (stub.md 3.4, as systemd 262 does
// it): Linux alone shows nothing where no screen is, since its dummy screen counts as one.
//
// Every console that was found gets a word, and Linux prints on all of them. The last word becomes
// /dev/console, where the login and emergency shells are, so the words come in rising order of how
// sure it is that somebody looks there:
//   1. the serial port: firmware shows its text there, which many machines do with nobody attached;
//   2. hvc0: the host made a virtio serial device, perhaps only for a guest agent. Behind a real
//      console Linux survives a console that does not exist;
//   3. tty0: a screen. Without the other two it is what Linux chooses by itself: then no word.
// More than one virtio device: it is not known which of them is hvc0, so none counts.
// The words are never measured: they say what the machine is, which nobody can predict, and turn
// nothing on that an unattended machine would not have had.
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/page_list.h"

namespace keelson {

// Found by efi/firmware/console_devices.h.
struct ConsoleFacts {
  // The UID of the PNP0501 port that the firmware's text goes to, on CPUs with the PC's I/O ports:
  // 0 to 3 are COM1 to COM4. Others are unknown to Linux too.
  std::optional<std::uint32_t> pc_serial_port;
  std::uint32_t virtio_consoles = 0;
  bool graphics = false;

  friend bool operator==(const ConsoleFacts&, const ConsoleFacts&) = default;
};

// Whether the line has a `console=` word of its own: then nothing is looked for or added.
bool has_console_word(std::u16string_view command_line);

// The words, joined by spaces; empty if there is nothing to say. Error: out_of_memory.
Result<std::u16string_view> console_words(const ConsoleFacts& facts, TextArena& arena);

}  // namespace keelson
