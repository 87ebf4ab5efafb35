// SPDX-License-Identifier: MIT
//
// Owns the kernel's command line (stub.md 3.3, 3.4): which line it begins with, what is appended,
// what of it came from outside the image and so is measured. Pure.
#pragma once

#include <span>

#include "efi/format/console_words.h"
#include "stub/gathered.h"
#include "stub/plan_image.h"

namespace keelson::stub {

struct LinePlan {
  BaseLine base;
  std::u16string_view addons;  // of all add-ons, joined; measured as one
  std::u16string_view smbios;  // what the machine's owner adds; measured
  std::u16string_view text;    // all of it, followed by a NUL
};

// Error: out_of_memory. The texts live in `texts`.
Result<LinePlan> plan_line(const Facts& facts, const ImagePlan& image,
                           std::span<const Addon> addons, TextArena& texts);

// The line as the kernel gets it, where consoles were looked for because it names none. These words
// are not measured. Error: out_of_memory.
Result<std::u16string_view> with_consoles(std::u16string_view line, const ConsoleFacts& consoles,
                                          TextArena& texts);

}  // namespace keelson::stub
