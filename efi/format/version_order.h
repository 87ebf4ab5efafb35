// SPDX-License-Identifier: MIT
//
// Owns the order of version strings: UAPI.10 as the programs implement it (an absent digit run is
// older than 0). A strict weak order: characters outside A-Za-z0-9~-^. count for nothing.
#pragma once

#include <compare>
#include <string_view>

namespace keelson {

// `less` means that `a` is the older one. Linear time.
std::weak_ordering compare_versions(std::u16string_view a, std::u16string_view b);
std::weak_ordering compare_versions(std::string_view a, std::string_view b);

}  // namespace keelson
