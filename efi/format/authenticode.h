// SPDX-License-Identifier: MIT
//
// Owns which bytes of a PE file Secure Boot and PCR 4 hash ("Windows Authenticode Portable
// Executable Signature Format", tools.md 5), and where signatures lie. Computing digests is the
// caller's (efi/base/digest.h), checking signatures the firmware's.
#pragma once

#include "efi/base/page_list.h"
#include "efi/format/pe.h"

namespace keelson::authenticode {

// The hashed bytes of `file` in order, each a view of it, the last one possibly of zeros (padding
// to 8 bytes). Feed them to any digest:
//   for (Bytes part : TRY(authenticode::hashed_bytes(file)).items()) digest.update(part);
// The same for the file before and after signing. Errors: truncated, malformed: sections that
// share bytes of the file, a certificate table over sections or not at the end.
Result<PageList<Bytes>> hashed_bytes(Bytes file);

// The certificate table; empty if the file is not signed. Errors as above.
Result<Bytes> certificate_table(Bytes file);

// One WIN_CERTIFICATE of the table.
struct Certificate {
  std::uint16_t revision = 0;
  std::uint16_t type = 0;  // 2: PKCS#7 SignedData
  Bytes content;
};
inline constexpr std::uint16_t type_pkcs7 = 2;

// The certificate at byte `at` of the table, which is moved to the next one; nullopt at the end:
//   std::size_t at = 0;
//   while (const auto certificate = TRY(authenticode::next_certificate(table, at))) ...
Result<std::optional<Certificate>> next_certificate(Bytes table, std::size_t& at);

}  // namespace keelson::authenticode
