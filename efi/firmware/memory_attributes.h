// SPDX-License-Identifier: MIT
//
// Owns page rights of a kernel that is put in place in memory: everything not executable, then code
// read-only and executable (EFI_MEMORY_ATTRIBUTE_PROTOCOL, security.md 4). Undone when it ends, so
// that freed pages are ordinary again. Which ranges are code is the caller's knowledge.
#pragma once

#include <span>

#include "efi/base/static_vector.h"
#include "efi/firmware/handle.h"
#include "efi/firmware/undo.h"

namespace keelson::efi {

class MemoryAttributes {
 public:
  static constexpr std::size_t most_ranges = 16;

  MemoryAttributes() = default;
  MemoryAttributes(const MemoryAttributes&) = delete;
  MemoryAttributes& operator=(const MemoryAttributes&) = delete;
  ~MemoryAttributes() { restore(); }

  // Sets XP on all of `whole` (page-aligned). Success without doing anything if not supported. Call
  // before the contents are copied in.
  Result<> forbid_execution(Bytes whole);
  // For a page-aligned range inside `whole`: sets RO, then clears XP. After the contents are
  // complete.
  Result<> make_code(Bytes range);
  // XP set and RO cleared for code ranges, then the rights the whole had before. False if the
  // firmware refused any of it: the pages must not be freed then, whoever got them would fault.
  bool restore();

 private:
  void* protocol_ = nullptr;
  Bytes whole_;
  bool was_execute_protected_ = false;
  StaticVector<Bytes, most_ranges> code_;
  UndoRegistration undo_;
};

}  // namespace keelson::efi
