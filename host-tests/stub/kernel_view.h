// SPDX-License-Identifier: MIT
//
// Owns what a kernel finds when the stub has started it: its line, its initrd, its device tree.
#pragma once

#include <string>

#include "efi/firmware/uefi.h"
#include "efi/format/device_tree.h"
#include "host-tests/sim/firmware.h"

namespace keelson::sim {

inline std::string initrd_of(const Run& run) {
  const Started* const kernel = run.find("kernel");
  if (kernel == nullptr || !kernel->initrd) return "(none)";
  return std::string(text_of(*kernel->initrd));
}

inline std::u16string options_of(const Run& run) {
  const Started* const kernel = run.find("kernel");
  return kernel == nullptr ? u"(none)" : kernel->options;
}

// For payloads. Empty: there is none.
inline std::string device_tree_seen(Firmware& firmware) {
  const auto* const at =
      static_cast<const std::byte*>(firmware.configuration().find(efi::table_guid::device_tree));
  if (at == nullptr) return {};
  const auto size = device_tree::total_size(Bytes(at, device_tree::header_size));
  if (!size.has_value()) return {};
  return std::string(text_of(Bytes(at, static_cast<std::size_t>(*size))));
}

}  // namespace keelson::sim
