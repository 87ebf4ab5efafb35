// SPDX-License-Identifier: MIT
//
// Owns where the loader lies on an ESP (design.md, section 5), for those who put it there and those
// who look at it.
#pragma once

#include <string>

#include "tools/keelson/host_file.h"

namespace keelson::tool {

inline constexpr const char* our_directory = "EFI/keelson";
inline constexpr const char* removable_directory = "EFI/BOOT";

// Names that are there already are spelled as they are there.
struct LoaderPlaces {
  fs::path loader;
  fs::path fallback;   // the loader before the last update
  fs::path removable;  // what firmware starts without a boot entry; anybody's
};
LoaderPlaces loader_places(const fs::path& esp, const std::string& arch);

}  // namespace keelson::tool
