// SPDX-License-Identifier: MIT
//
// Owns the table of UKI sections (stub.md 1.1): names, the binding PCR 11 order, what is measured,
// what may repeat, what is text, and the order in which builders write them (tools.md 2.2). UAPI.5
// lists a different order; ours is what systemd-stub and systemd-measure do. Builder, stub, loader
// and predictor use this table and no other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace keelson {

// In PCR 11 order: the value is the position. (`kernel` is ".linux".)
enum class UkiSection : std::uint8_t {
  kernel,
  osrel,
  cmdline,
  initrd,
  ucode,
  splash,
  dtb,
  uname,
  sbat,
  pcrsig,
  pcrpkey,
  profile,
  dtbauto,
  hwids,
  efifw,
  kernel_hash,
  initrd_hash,
};

struct UkiSectionRow {
  UkiSection id;
  std::string_view name;  // in the PE file and, with one NUL, in the PCR 11 event of the name
  bool measured;          // name and content are extended into PCR 11 if the section is set
  bool many;              // candidates: all of them count, the hardware selects one
  bool text;              // shown as text by `keelson inspect`
  bool joined;            // copied when a profile PE is joined to a UKI
};

// clang-format off
inline constexpr std::array<UkiSectionRow, 17> uki_sections = {{
    // id                     name        measured  many   text   joined
    {UkiSection::kernel,      ".linux",   true,     false, false, true},
    {UkiSection::osrel,       ".osrel",   true,     false, true,  true},
    {UkiSection::cmdline,     ".cmdline", true,     false, true,  true},
    {UkiSection::initrd,      ".initrd",  true,     false, false, true},
    {UkiSection::ucode,       ".ucode",   true,     false, false, true},
    {UkiSection::splash,      ".splash",  true,     false, false, true},
    {UkiSection::dtb,         ".dtb",     true,     false, false, true},
    {UkiSection::uname,       ".uname",   true,     false, true,  true},
    {UkiSection::sbat,        ".sbat",    true,     false, true,  true},
    {UkiSection::pcrsig,      ".pcrsig",  false,    false, true,  false},
    {UkiSection::pcrpkey,     ".pcrpkey", true,     false, true,  false},
    {UkiSection::profile,     ".profile", true,     false, true,  true},
    {UkiSection::dtbauto,     ".dtbauto", true,     true,  false, true},
    {UkiSection::hwids,       ".hwids",   true,     false, false, true},
    {UkiSection::efifw,       ".efifw",   true,     true,  false, true},
    // Of a thin UKI (thin_uki.h). Unmeasured: what they pin is, as .linux and .initrd.
    {UkiSection::kernel_hash, ".linuxh",  false,    false, false, true},
    {UkiSection::initrd_hash, ".initrdh", false,    false, false, true},
}};
// clang-format on

// Order in the file, as ukify writes them. `.sbat` overwrites the stub's; `.profile` and `.pcrsig`
// come last in the base and `.profile` first in every later profile.
inline constexpr std::array<UkiSection, 17> uki_file_order = {
    UkiSection::osrel,  UkiSection::cmdline, UkiSection::dtb,         UkiSection::dtbauto,
    UkiSection::hwids,  UkiSection::uname,   UkiSection::splash,      UkiSection::pcrpkey,
    UkiSection::kernel, UkiSection::initrd,  UkiSection::initrd_hash, UkiSection::kernel_hash,
    UkiSection::efifw,  UkiSection::ucode,   UkiSection::sbat,        UkiSection::profile,
    UkiSection::pcrsig,
};

constexpr const UkiSectionRow& row(UkiSection id) {
  return uki_sections[static_cast<std::size_t>(id)];
}
// The section called `name` (no NULs); nullopt for names that are none of a UKI's.
constexpr std::optional<UkiSection> find_uki_section(std::string_view name) {
  for (const auto& candidate : uki_sections)
    if (candidate.name == name) return candidate.id;
  return std::nullopt;
}

namespace detail {
consteval bool rows_match_enumerators() {
  for (std::size_t i = 0; i < uki_sections.size(); ++i)
    if (static_cast<std::size_t>(uki_sections[i].id) != i || uki_sections[i].name.size() > 8)
      return false;
  return true;
}
}  // namespace detail
static_assert(detail::rows_match_enumerators());

// Identity of a program (identity.h). Never measured.
inline constexpr std::string_view sdmagic_section = ".sdmagic";

// How many profiles are listed at most (loader.md 3). The stub has no limit.
inline constexpr std::size_t max_listed_profiles = 256;

}  // namespace keelson
