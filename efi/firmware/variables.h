// SPDX-License-Identifier: MIT
//
// Owns access to UEFI variables: reads bounded in size that survive a variable growing in between,
// writes only where something changes (NVRAM wears out), deletions only of what exists. Names and
// encodings of the boot loader interface are in efi/format/loader_interface.h.
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/page_list.h"
#include "efi/firmware/handle.h"
#include "efi/format/loader_interface.h"

namespace keelson::efi {

constexpr std::uint64_t largest_variable = 1_MiB;

// Vendor, name (at most 511 units) and the attributes with which it is written.
using VariableId = loader_interface::Name;

struct VariableValue {
  Bytes data;
  std::uint32_t attributes = 0;
};

// What Image::variables() hands out; holds nothing.
class Variables {
 public:
  // Errors: not_found, unsupported (over `largest_variable`, or it never stops growing),
  // out_of_memory, firmware. Firmware without attributes on reading gives attributes 0.
  Result<VariableValue> get(const VariableId& id, TextArena& arena) const;
  // Into `room`; error truncated if the value is larger.
  Result<VariableValue> get(const VariableId& id, MutableBytes room) const;
  bool exists(const VariableId& id) const;
  // What a loader has said of this boot; `get` otherwise. Error not_found also for a persistent
  // variable: the operating system can have left it (security.md V11).
  Result<VariableValue> get_report(const VariableId& id, MutableBytes room) const;

  // Compares before writing when the variable is persistent. An empty `data` is refused (it would
  // delete). Errors: denied, out_of_memory (the store is full), firmware.
  Result<> set(const VariableId& id, Bytes data) const;
  Result<> set_if_absent(const VariableId& id, Bytes data) const;
  // Success if it does not exist.
  Result<> remove(const VariableId& id) const;

 private:
  friend class Image;
  Variables() = default;
};

}  // namespace keelson::efi
