// SPDX-License-Identifier: MIT
//
// Owns finding the consoles of the machine: serial ports on which the firmware shows its text,
// virtio consoles on PCI, graphics. What the kernel is told of them is
// efi/format/console_words.h's.
#pragma once

#include "efi/firmware/handle.h"
#include "efi/format/console_words.h"

namespace keelson::efi {

// What the firmware cannot tell counts as not there.
ConsoleFacts find_consoles();

}  // namespace keelson::efi
