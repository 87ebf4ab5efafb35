// SPDX-License-Identifier: MIT
//
// Owns hash algorithms (TPM 2.0 algorithm ids), digest values and hashing, one-shot or as a stream.
// SHA-256 is there in firmware and on the host, SHA-1 too (hardware ids); SHA-384 and SHA-512 only
// on the host, because in firmware the TPM driver hashes for its own banks. The work is mbedTLS's:
// compiled from source for firmware, from the system on the host; on CPUs with instructions for
// SHA-256 both use them (sha256_blocks.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "efi/base/bytes.h"

namespace keelson {

// Values are TPM_ALG_ID (TCG Algorithm Registry), as in event logs and policies.
enum class HashAlgorithm : std::uint16_t { sha1 = 0x4, sha256 = 0xB, sha384 = 0xC, sha512 = 0xD };
inline constexpr std::array all_hash_algorithms = {HashAlgorithm::sha1, HashAlgorithm::sha256,
                                                   HashAlgorithm::sha384, HashAlgorithm::sha512};
constexpr std::size_t digest_size(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha1:
      return 20;
    case HashAlgorithm::sha256:
      return 32;
    case HashAlgorithm::sha384:
      return 48;
    case HashAlgorithm::sha512:
      return 64;
  }
  return 0;
}
inline constexpr std::size_t max_digest_size = 64;
// "sha256", as systemd-measure and tpm2-tools write it.
std::string_view name(HashAlgorithm algorithm);
// The reverse of `name`, lower case only; nullopt if unknown.
std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name);
// nullopt if `id` is a TPM_ALG_ID that this program cannot compute (SM3, SHA-3).
std::optional<HashAlgorithm> hash_algorithm_from_id(std::uint16_t id);

// Lower-case hex digits of a digest, held inside the object.
class DigestText {
 public:
  explicit DigestText(Bytes digest);  // at most max_digest_size bytes; longer ones are cut
  operator std::string_view() const { return {digits_.data(), size_}; }

 private:
  std::array<char, 2 * max_digest_size> digits_{};
  std::size_t size_ = 0;
};

// A digest together with its algorithm; also the value of a PCR in that algorithm's bank.
class Digest {
 public:
  // All zeros: a PCR after reset.
  constexpr explicit Digest(HashAlgorithm algorithm) : algorithm_(algorithm) {}
  // Error: malformed, if `bytes` has not the algorithm's length.
  static Result<Digest> from_bytes(HashAlgorithm algorithm, Bytes bytes);
  // Hex digits of either case. Error: malformed.
  static Result<Digest> from_hex(HashAlgorithm algorithm, std::string_view hex);

  constexpr HashAlgorithm algorithm() const { return algorithm_; }
  Bytes bytes() const { return Bytes(bytes_).first(digest_size(algorithm_)); }
  MutableBytes mutable_bytes() { return MutableBytes(bytes_).first(digest_size(algorithm_)); }
  bool is_zero() const { return *this == Digest(algorithm_); }
  DigestText hex() const { return DigestText(bytes()); }
  friend constexpr bool operator==(const Digest&, const Digest&) = default;

 private:
  HashAlgorithm algorithm_;
  std::array<std::byte, max_digest_size> bytes_{};  // zero past the algorithm's length
};

// A running hash. Copying it forks the stream.
class Hasher {
 public:
  // Error: unsupported, in firmware for SHA-384 and SHA-512.
  static Result<Hasher> start(HashAlgorithm algorithm);
  // SHA-256, which never fails.
  static Hasher sha256();

  // Any length, also of 4 GiB and more.
  Hasher& update(Bytes bytes);
  Hasher& update_zeros(std::uint64_t count);
  // The digest of all updates so far. Call once.
  Digest finish();

 private:
  explicit Hasher(HashAlgorithm algorithm) : algorithm_(algorithm) {}

  HashAlgorithm algorithm_;
  bool use_instructions_ = false;                    // the CPU has those of SHA-256
  alignas(8) std::array<std::byte, 232> context_{};  // the mbedTLS context of the algorithm
};

Digest sha256(Bytes bytes);
// Error: unsupported, as Hasher::start.
Result<Digest> hash(HashAlgorithm algorithm, Bytes bytes);

}  // namespace keelson
