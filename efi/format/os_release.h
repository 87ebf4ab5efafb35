// SPDX-License-Identifier: MIT
//
// Owns the two os-release texts of a UKI: .osrel (os-release(5)) and .profile (UAPI.5), and which
// field names an entry. Values are as in the text, not checked and not fit for display.
#pragma once

#include <string_view>

#include "efi/base/bytes.h"

namespace keelson {

// Larger .osrel and .profile sections are refused by whoever reads them.
constexpr std::uint64_t max_os_release_size = 64_KiB;

struct OsRelease {
  std::string_view pretty_name, image_id, name, id;
  std::string_view image_version, version, version_id, build_id;

  // Empty if the text has none of the fields.
  std::string_view title() const;         // PRETTY_NAME, IMAGE_ID, NAME, ID
  std::string_view version_text() const;  // IMAGE_VERSION, VERSION, VERSION_ID, BUILD_ID
  std::string_view sort_key() const;      // IMAGE_ID, ID
};

struct ProfileText {
  std::string_view id, title;
};

// The last line of a key wins. The views borrow from `text`.
OsRelease parse_os_release(Bytes text);
ProfileText parse_profile(Bytes text);

}  // namespace keelson
