// SPDX-License-Identifier: MIT
//
// Owns where companion files lie on a volume and which archive of the initrd each kind becomes
// (stub.md 5.1). Pure: the stub reads them by this table, `keelson predict` on the host, too.
#pragma once

#include "efi/format/companion_names.h"
#include "efi/format/cpio.h"
#include "stub/gathered.h"

namespace keelson::stub {

// Directories of all images on the volume; that of one image is companion_names.h's.
inline constexpr std::u16string_view global_addons = u"\\loader\\addons";
inline constexpr std::u16string_view global_credentials = u"\\loader\\credentials";
inline constexpr std::u16string_view global_extensions = u"\\loader\\extensions";

enum class CompanionPlace : std::uint8_t { own, credentials, extensions };

struct ArchiveSource {
  CompanionPlace place;
  CompanionKind kind;
  cpio::Layout layout;
};
constexpr cpio::Layout secret_files(std::string_view directory) {
  return {.directory = directory, .directory_mode = 0500, .file_mode = 0400};
}
// By ArchiveKind.
inline constexpr ArchiveSource archive_sources[archive_kinds] = {
    {CompanionPlace::own, CompanionKind::credential, secret_files(".extra/credentials")},
    {CompanionPlace::credentials, CompanionKind::credential,
     secret_files(".extra/global_credentials")},
    {CompanionPlace::own, CompanionKind::system_extension, {.directory = ".extra/sysext"}},
    {CompanionPlace::extensions,
     CompanionKind::system_extension,
     {.directory = ".extra/global_sysext"}},
    {CompanionPlace::own, CompanionKind::configuration_extension, {.directory = ".extra/confext"}},
    {CompanionPlace::extensions,
     CompanionKind::configuration_extension,
     {.directory = ".extra/global_confext"}},
};

// Of one file, add-ons included. Larger ones are left out (R6); one that is larger than the
// archive's format can say ends its archive.
inline constexpr std::uint64_t largest_companion = 1_GiB + 512_MiB;
inline constexpr std::uint64_t largest_in_archive = ~std::uint32_t{0};

}  // namespace keelson::stub
