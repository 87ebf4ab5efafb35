// SPDX-License-Identifier: MIT
//
// Owns the content of Type #1 entries, \loader\entries\*.conf (UAPI.1, as systemd-boot 261 reads
// it): which keys exist, what makes an entry unusable. Its id and place in the list belong to
// entry_list; whether its files exist is for the caller to find out.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "efi/base/diagnostics.h"
#include "efi/base/esp_path.h"

namespace keelson {

enum class LoaderEntryKind : std::uint8_t {
  linux,  // kernel with EFI stub, gets initrds
  efi,    // any EFI program
  uki,    // unified kernel image
};

struct LoaderEntry {
  LoaderEntryKind kind = LoaderEntryKind::linux;
  EspPath executable;
  std::span<const EspPath> initrds;  // only for kind linux, in the order of the file
  std::u16string_view options;       // all `options` lines, joined by one space
  std::u16string_view title, version, machine_id, sort_key, architecture;  // empty: not given
  std::uint32_t profile = 0;
};

// `architecture` is the UAPI name of this machine: "x64". Texts and paths live in `arena`.
// Errors, all meaning "leave this entry out": malformed (two kinds at once, a path that is not
// one), not_found (no executable is named), unsupported (other architecture, `uki-url`),
// out_of_memory. Bad values that do not spoil the entry, and keys that are known but have no
// effect, go to `diagnostics`.
Result<LoaderEntry> parse_loader_entry(Bytes file, std::string_view architecture, TextArena& arena,
                                       Diagnostics& diagnostics);

}  // namespace keelson
