// SPDX-License-Identifier: MIT
//
// Owns which files beside a UKI belong to it (stub.md 4, 5.1): the directory of its own, what a
// file is by its name, which names are accepted, and the order that everybody who measures or
// predicts goes by. Names come from a volume that nobody has verified.
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/page_list.h"

namespace keelson {

enum class CompanionKind : std::uint8_t {
  addon,                    // *.addon.efi
  credential,               // *.cred
  system_extension,         // *.raw, but not *.confext.raw
  configuration_extension,  // *.confext.raw
};
// By the suffix, whose ASCII letters may be of either case; nullopt for all other files.
std::optional<CompanionKind> companion_kind(std::u16string_view name);

// Whether a name may be used, and so logged, measured and put into an archive: 1 to 255 printable
// ASCII characters, no separator, no leading dot. Error: malformed, with the reason.
Result<> check_companion_name(std::u16string_view name);
// The same name in ASCII. Errors: malformed, out_of_memory.
Result<std::string_view> ascii_companion_name(std::u16string_view name, TextArena& arena);

// Whether `a` comes before `b`: by UTF-16 units, so that `B` comes before `a`.
constexpr bool companion_precedes(std::u16string_view a, std::u16string_view b) { return a < b; }

// `\EFI\Linux\foo+3-0.efi` has its companions in `\EFI\Linux\foo.efi.extra.d`: slashes become
// backslashes, runs of them one, a leading one is added, the boot counter is left out. As a counter
// counts what follows the first `+`, if it is `N` or `N-M` and ends at a dot or at the end; else
// nothing is left out. Errors: not_found for an empty path; out_of_memory.
Result<std::u16string_view> companion_directory(std::u16string_view image_path, TextArena& arena);

}  // namespace keelson
