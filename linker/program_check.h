// SPDX-License-Identifier: MIT
//
// Owns what a finished firmware program of ours must be before anyone signs or loads it
// (security.md 4, "Platform requirements"; stub.md 1.5): the rules of the UEFI CA for memory
// protection, SBAT, and the room that UKI builders count on.
#pragma once

#include "efi/base/bytes.h"
#include "linker/outcome.h"

namespace keelson::linker {

struct ProgramRules {
  std::uint32_t spare_section_headers = 0;  // room that builders find in the header
  // A program that starts brings `.sbat`; the base of add-ons has none: what is built on it gets
  // its lines from the builder, and ukify takes a profile only if `.profile` stands before `.sbat`.
  bool has_sbat = true;
};

// Every rule, in order of the file; the failure names the section that breaks one. `image` is the
// whole file. Any machine.
Outcome<> check_program(Bytes image, const ProgramRules& rules);

}  // namespace keelson::linker
