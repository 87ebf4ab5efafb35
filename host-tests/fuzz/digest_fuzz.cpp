// SPDX-License-Identifier: MIT
//
// Hashes arbitrary bytes in arbitrary pieces; the digest must be the one of the whole, by the
// library alone. Hex digits of a digest read back.
#include <fuzzer/FuzzedDataProvider.h>
#include <mbedtls/sha256.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "efi/base/digest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  FuzzedDataProvider input(data, size);
  std::string whole;
  Hasher sha256 = Hasher::sha256();
  Hasher sha512 = *Hasher::start(HashAlgorithm::sha512);
  while (input.remaining_bytes() != 0) {
    const std::string part = input.ConsumeRandomLengthString(500);
    sha256.update(bytes_of(std::string_view(part)));
    sha512.update(bytes_of(std::string_view(part)));
    whole += part;
  }
  Digest expected(HashAlgorithm::sha256);
  mbedtls_sha256_ret(reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                     reinterpret_cast<unsigned char*>(expected.mutable_bytes().data()), 0);
  const Digest digest = sha256.finish();
  if (digest != expected) std::abort();
  if (sha512.finish() != *hash(HashAlgorithm::sha512, bytes_of(std::string_view(whole))))
    std::abort();
  if (*Digest::from_hex(HashAlgorithm::sha256, std::string_view(digest.hex())) != digest)
    std::abort();
  for (const HashAlgorithm algorithm : all_hash_algorithms) {
    const auto parsed = Digest::from_hex(algorithm, whole);
    if (!parsed.has_value()) continue;
    std::ranges::transform(whole, whole.begin(),
                           [](char c) { return c >= 'A' && c <= 'F' ? char(c + 32) : c; });
    if (std::string_view(parsed->hex()) != whole) std::abort();
  }
  return 0;
}
