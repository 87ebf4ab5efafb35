// SPDX-License-Identifier: MIT
//
// Owns who we are: product names, the version, and the texts that identify our PE files: .sdmagic
// (bootctl's update decision, stub.md 1.1), the loader's .osrel, and .sbat (SBAT.md of shim).
// The texts are arrays without a terminator; loader/ and stub/ place them into PE sections with
//   [[gnu::section(".sdmagic"), gnu::used]] constexpr auto magic = identity::stub_sdmagic;
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "efi/format/version.h"

namespace keelson::identity {

inline constexpr std::string_view version = KEELSON_VERSION;
// As reported in LoaderInfo and StubInfo (there as UTF-16) and in .sdmagic.
inline constexpr std::string_view boot_product = "keelson-boot " KEELSON_VERSION;
inline constexpr std::string_view stub_product = "keelson-stub " KEELSON_VERSION;
inline constexpr std::string_view addon_product = "keelson-addon " KEELSON_VERSION;
inline constexpr std::u16string_view boot_product_utf16 = u"keelson-boot " KEELSON_VERSION;
inline constexpr std::u16string_view stub_product_utf16 = u"keelson-stub " KEELSON_VERSION;

inline constexpr std::string_view sdmagic_prefix = "#### LoaderInfo: ";
inline constexpr std::string_view sdmagic_suffix = " ####";

// What the .sdmagic content `magic` names, "keelson-boot 0.1.0"; trailing NULs are allowed. Empty
// if it is not of that form.
constexpr std::string_view product_of_sdmagic(std::string_view magic) {
  while (magic.ends_with('\0')) magic.remove_suffix(1);
  if (magic.size() < sdmagic_prefix.size() + sdmagic_suffix.size()) return {};
  if (!magic.starts_with(sdmagic_prefix) || !magic.ends_with(sdmagic_suffix)) return {};
  magic.remove_prefix(sdmagic_prefix.size());
  magic.remove_suffix(sdmagic_suffix.size());
  return magic;
}

namespace detail {
// A string literal without its NUL.
template <std::size_t N>
consteval std::array<char, N - 1> text(const char (&literal)[N]) {
  std::array<char, N - 1> result{};
  for (std::size_t i = 0; i + 1 < N; ++i) result[i] = literal[i];
  return result;
}
}  // namespace detail

inline constexpr auto boot_sdmagic =
    detail::text("#### LoaderInfo: keelson-boot " KEELSON_VERSION " ####");
inline constexpr auto stub_sdmagic =
    detail::text("#### LoaderInfo: keelson-stub " KEELSON_VERSION " ####");
inline constexpr auto addon_sdmagic =
    detail::text("#### LoaderInfo: keelson-addon " KEELSON_VERSION " ####");

// With it a copy of the loader in \EFI\Linux shows up as an entry (loader.md 1).
inline constexpr auto boot_osrel = detail::text(
    "ID=keelson-boot\n"
    "VERSION=\"" KEELSON_VERSION
    "\"\n"
    "NAME=\"Keelson boot loader " KEELSON_VERSION "\"\n");

// One component per program, so that one can be revoked without the other. A generation only rises,
// and rises with every Secure Boot bypass that was fixed (security.md 4). Distributors append their
// line. There is no public home page yet; ".invalid" is reserved (RFC 2606), so nobody can take it.
inline constexpr auto boot_sbat = detail::text(
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
    "keelson-boot,1,The Keelson developers,keelson-boot," KEELSON_VERSION
    ",https://keelson.invalid/\n");
inline constexpr auto stub_sbat = detail::text(
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
    "keelson-stub,1,The Keelson developers,keelson-stub," KEELSON_VERSION
    ",https://keelson.invalid/\n");

}  // namespace keelson::identity
