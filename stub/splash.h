// SPDX-License-Identifier: MIT
//
// Owns the picture that a UKI shows while its kernel starts (stub.md 6): which pictures are shown,
// and where on the screen. The format is efi/format/bitmap.h, the screen efi/firmware/graphics.h.
#pragma once

#include "efi/base/bytes.h"
#include "efi/base/diagnostics.h"

namespace keelson::stub {

// Shows the BMP picture in `section` in the middle of an otherwise empty screen. Does nothing if
// the section is empty or there is no graphical screen; a picture that is damaged, of a form we do
// not know, or larger than the screen leaves the screen as it is. Never fails: what is wrong is a
// line in the log. A screen that was switched to graphics goes back to text when the program ends.
void show_splash(Bytes section, Diagnostics& diagnostics);
// Back to text at once, for a message. Does nothing where no splash switched the screen.
void leave_splash();

}  // namespace keelson::stub
