// SPDX-License-Identifier: MIT
//
// Owns assembling UKIs, add-ons and profile files from a stub and section contents (tools.md 2.2,
// 2.3): which sections, in ukify's order, what is derived (.sbat, .uname, joined initrds). Host
// only, output unsigned. Contents are bytes; reading files, signing, and computing PCRs are the
// tool's: for `.pcrsig` build once without it, measure the result with efi/format/uki.h, build
// again with it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "efi/base/bytes.h"
#include "linker/outcome.h"

namespace keelson::linker {

struct CustomSection {
  std::string name;
  Bytes content;
};

// A profile that was built as a file of its own (UkiKind::profile): its `.profile` and those
// sections behind it that count in a profile (uki_sections.h). Others get a note by their name.
struct JoinedProfile {
  Bytes pe;
  std::optional<Bytes> pcrsig;  // added behind its sections
};

enum class UkiKind : std::uint8_t {
  uki,      // needs `kernel`
  addon,    // no kernel
  profile,  // needs `profile`, which comes first; to be joined later
};

// For a thin UKI (efi/format/thin_uki.h): where kernel and initrd will lie on its volume, UTF-8,
// absolute with backslashes. The sections hold these paths and the files' hashes.
struct ThinPaths {
  std::string_view kernel, initrd;
};

// All bytes are borrowed during build_uki. An absent section is nullopt; an empty one is left out,
// but kept in a profile, where it masks the base's.
struct UkiInputs {
  UkiKind kind = UkiKind::uki;
  Bytes stub;
  std::optional<Bytes> kernel;
  std::optional<Bytes> osrel, cmdline, ucode, splash, dtb, pcrpkey, hwids;
  std::optional<Bytes> uname;  // nullopt: found in the kernel, if it says
  std::vector<Bytes> initrds;  // several: each padded to 4 bytes and concatenated
  std::vector<Bytes> dtbauto, efifw;
  std::vector<std::string_view> sbat;  // lines to add; none: the default line
  std::vector<CustomSection> custom;
  std::optional<Bytes> profile;  // base profile; "ID=main" if profiles are joined without it
  std::optional<Bytes> pcrsig;
  std::vector<JoinedProfile> joined;
  std::optional<ThinPaths> thin;  // a UKI needs kernel, initrd and command line then; for a profile
                                  // it is about what it brings
};

struct BuiltUki {
  std::vector<std::byte> image;
  std::vector<std::string> notes;  // what a user may want to know: "kernel is not a PE image: ..."
};

// Failures name the section or input and the reason. The result is read back and compared.
Outcome<BuiltUki> build_uki(const UkiInputs& inputs);

// `uname -r` of a kernel: from the x86 setup header, else from the text "Linux version ".
// nullopt if it does not say.
std::optional<std::string> find_uname(Bytes kernel);

// What `.initrd` holds for these inputs.
std::vector<std::byte> join_initrds(std::span<const Bytes> initrds);
// One step of it, if there are several.
void append_initrd(std::vector<std::byte>& joined, Bytes initrd);

// The `.sbat` of a UKI: first line, lines of stub, kernel and `extra`. Error: malformed.
Outcome<std::string> merge_sbat(std::string_view stub, std::string_view kernel,
                                std::span<const std::string_view> extra);

}  // namespace keelson::linker
