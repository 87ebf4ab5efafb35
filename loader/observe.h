// SPDX-License-Identifier: MIT
//
// Owns the facts of one boot: volumes, settings, entries, wishes in variables, Secure Boot. Read once
// at the start; later steps change only what is marked.
#pragma once

#include "loader/interface.h"
#include "loader/plan.h"

namespace keelson::loader {

struct Facts {
  efi::Volume esp;  // our own volume, whatever it is
  std::optional<efi::Volume> xbootldr = std::nullopt;
  EntryList list = {};              // changed: file names when a boot is counted
  PageList<Candidate> states = {};  // one per entry; changed: failed, returned
  LoaderConf conf = {};
  Wishes wishes = {};               // changed: sources, by the menu
  MenuSettings settings = {};       // changed: by the menu
  MenuTimeout timeout = {};
  DefaultChoice default_entry = {};
  bool secure_boot = true;
  bool firmware_setup = false;
  TextArena texts = {};

  efi::Volume& volume_of(const Entry& entry) {
    return entry.source == EntrySource::xbootldr && xbootldr ? *xbootldr : esp;
  }
};

// Errors: own volume not openable, out_of_memory. Everything else that cannot be read is a line in
// the log.
Result<Facts> observe(const Machine& machine);

}  // namespace keelson::loader
