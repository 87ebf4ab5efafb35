// SPDX-License-Identifier: MIT
//
// Owns what was found beside the image and may be added to the boot: add-ons, archives of companion
// files, the initrd that somebody registered before us. Plain data; who collects it is gather.h,
// what becomes of it plan_boot.h, device_trees.h and initrd.h.
#pragma once

#include <array>

#include "efi/base/page_list.h"

namespace keelson::stub {

// What the firmware accepted as an add-on, copied out of it.
struct Addon {
  std::u16string_view name;          // of the file, as it is spelled on disk
  std::u16string_view command_line;  // normalised
  Pages device_tree, initrd, ucode;  // empty: it has none
};

// Archives of companion files, in the order in which they are measured and in which the kernel gets
// them (stub.md 2.3, 5.5).
enum class ArchiveKind : std::uint8_t {
  credentials,
  global_credentials,
  sysext,
  global_sysext,
  confext,
  global_confext,
};
inline constexpr std::size_t archive_kinds = 6;

struct Gathered {
  PageList<Addon> addons;                     // global ones first; each kind in its own order
  std::array<Pages, archive_kinds> archives;  // by ArchiveKind; empty: none
  Pages registered_initrd;                    // empty: none
  TextArena texts;                            // what the views above point to
};

}  // namespace keelson::stub
