// SPDX-License-Identifier: MIT
//
// Hashing over mbedTLS 2.28. The macros MBEDTLS_*_C tell which algorithms the library of this half
// has. Return values of its functions are not looked at: without hardware drivers they are 0.
#include "efi/base/digest.h"

#include <algorithm>
#include <memory>
#include <new>
#include <type_traits>

#include "efi/base/hex.h"
#include "efi/base/sha256_blocks.h"

#include "mbedtls/sha256.h"
#if defined(MBEDTLS_SHA1_C)
#include "mbedtls/sha1.h"
#endif
#if defined(MBEDTLS_SHA512_C)
#include "mbedtls/sha512.h"
#endif

namespace keelson {
namespace {

struct AlgorithmName {
  HashAlgorithm algorithm;
  std::string_view name;
};
constexpr std::array algorithm_names = {
    AlgorithmName{HashAlgorithm::sha1, "sha1"}, AlgorithmName{HashAlgorithm::sha256, "sha256"},
    AlgorithmName{HashAlgorithm::sha384, "sha384"}, AlgorithmName{HashAlgorithm::sha512, "sha512"}};

const unsigned char* octets(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// The library counts in 32 bits per update: 4 GiB or more would give a wrong digest.
constexpr std::size_t max_update = 1_GiB;

// The block functions fill these; everything else about a SHA-256 is the library's.
void update_sha256(mbedtls_sha256_context& context, bool use_instructions, Bytes bytes) {
  constexpr std::size_t block_size = 64;
  const std::size_t filled = context.total[0] % block_size;
  if (use_instructions && bytes.size() >= 2 * block_size) {
    if (filled != 0) {
      mbedtls_sha256_update_ret(&context, octets(bytes), block_size - filled);
      bytes = bytes.subspan(block_size - filled);
    }
    const Bytes blocks = bytes.first(bytes.size() - bytes.size() % block_size);
    compress_sha256_blocks(std::span(context.state), blocks);
    const std::uint64_t total =
        ((std::uint64_t{context.total[1]} << 32) | context.total[0]) + blocks.size();
    context.total[0] = static_cast<std::uint32_t>(total);
    context.total[1] = static_cast<std::uint32_t>(total >> 32);
    bytes = bytes.subspan(blocks.size());
  }
  if (!bytes.empty()) mbedtls_sha256_update_ret(&context, octets(bytes), bytes.size());
}

template <class Context, std::size_t Size>
Context& as(std::array<std::byte, Size>& storage) {
  static_assert(sizeof(Context) <= Size && alignof(Context) <= 8);
  static_assert(std::is_trivially_copyable_v<Context>);  // so is Hasher
  return *std::launder(reinterpret_cast<Context*>(storage.data()));
}
template <class Context, std::size_t Size>
Context& make(std::array<std::byte, Size>& storage) {
  static_assert(sizeof(Context) <= Size);
  return *std::construct_at(reinterpret_cast<Context*>(storage.data()));
}

}  // namespace

std::string_view name(HashAlgorithm algorithm) {
  for (const auto& row : algorithm_names)
    if (row.algorithm == algorithm) return row.name;
  return "unknown";
}

std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name) {
  for (const auto& row : algorithm_names)
    if (row.name == name) return row.algorithm;
  return std::nullopt;
}

std::optional<HashAlgorithm> hash_algorithm_from_id(std::uint16_t id) {
  for (const HashAlgorithm algorithm : all_hash_algorithms)
    if (static_cast<std::uint16_t>(algorithm) == id) return algorithm;
  return std::nullopt;
}

DigestText::DigestText(Bytes digest) {
  for (const std::byte byte : digest.first(std::min(digest.size(), max_digest_size))) {
    digits_[size_++] = high_hex_digit(byte);
    digits_[size_++] = low_hex_digit(byte);
  }
}

Result<Digest> Digest::from_bytes(HashAlgorithm algorithm, Bytes bytes) {
  if (bytes.size() != digest_size(algorithm))
    return fail(Errc::malformed, "digest of a wrong length", bytes.size());
  Digest digest(algorithm);
  __builtin_memcpy(digest.bytes_.data(), bytes.data(), bytes.size());
  return digest;
}

Result<Digest> Digest::from_hex(HashAlgorithm algorithm, std::string_view hex) {
  Digest digest(algorithm);
  const MutableBytes bytes = digest.mutable_bytes();
  if (hex.size() != 2 * bytes.size())
    return fail(Errc::malformed, "digest of a wrong length", hex.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = byte_from_hex(hex[2 * i], hex[2 * i + 1]);
    if (!byte) return fail(Errc::malformed, "digest with a bad digit", 2 * i);
    bytes[i] = *byte;
  }
  return digest;
}

Hasher Hasher::sha256() {
  Hasher hasher(HashAlgorithm::sha256);
  hasher.use_instructions_ = has_sha256_instructions();
  mbedtls_sha256_starts_ret(&make<mbedtls_sha256_context>(hasher.context_), 0);
  return hasher;
}

Result<Hasher> Hasher::start(HashAlgorithm algorithm) {
  [[maybe_unused]] Hasher hasher(algorithm);
  switch (algorithm) {
    case HashAlgorithm::sha256:
      return sha256();
#if defined(MBEDTLS_SHA1_C)
    case HashAlgorithm::sha1:
      mbedtls_sha1_starts_ret(&make<mbedtls_sha1_context>(hasher.context_));
      return hasher;
#endif
#if defined(MBEDTLS_SHA512_C)
    case HashAlgorithm::sha384:
    case HashAlgorithm::sha512:
      mbedtls_sha512_starts_ret(&make<mbedtls_sha512_context>(hasher.context_),
                                algorithm == HashAlgorithm::sha384 ? 1 : 0);
      return hasher;
#endif
    default:
      break;
  }
  return fail(Errc::unsupported, "hash algorithm is not available here",
              static_cast<std::uint16_t>(algorithm));
}

Hasher& Hasher::update(Bytes bytes) {
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min(bytes.size(), max_update));
    switch (algorithm_) {
      case HashAlgorithm::sha256:
        update_sha256(as<mbedtls_sha256_context>(context_), use_instructions_, part);
        break;
#if defined(MBEDTLS_SHA1_C)
      case HashAlgorithm::sha1:
        mbedtls_sha1_update_ret(&as<mbedtls_sha1_context>(context_), octets(part), part.size());
        break;
#endif
#if defined(MBEDTLS_SHA512_C)
      case HashAlgorithm::sha384:
      case HashAlgorithm::sha512:
        mbedtls_sha512_update_ret(&as<mbedtls_sha512_context>(context_), octets(part), part.size());
        break;
#endif
      default:
        break;  // start() made no such hasher
    }
    bytes = bytes.subspan(part.size());
  }
  return *this;
}

Hasher& Hasher::update_zeros(std::uint64_t count) {
  constexpr std::array<std::byte, 512> zeros{};
  while (count != 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, zeros.size()));
    update(Bytes(zeros).first(part));
    count -= part;
  }
  return *this;
}

Digest Hasher::finish() {
  std::array<unsigned char, max_digest_size> output{};  // the 384 bits of SHA-512 write 64 bytes
  switch (algorithm_) {
    case HashAlgorithm::sha256:
      mbedtls_sha256_finish_ret(&as<mbedtls_sha256_context>(context_), output.data());
      break;
#if defined(MBEDTLS_SHA1_C)
    case HashAlgorithm::sha1:
      mbedtls_sha1_finish_ret(&as<mbedtls_sha1_context>(context_), output.data());
      break;
#endif
#if defined(MBEDTLS_SHA512_C)
    case HashAlgorithm::sha384:
    case HashAlgorithm::sha512:
      mbedtls_sha512_finish_ret(&as<mbedtls_sha512_context>(context_), output.data());
      break;
#endif
    default:
      break;  // start() made no such hasher
  }
  Digest digest(algorithm_);
  const MutableBytes bytes = digest.mutable_bytes();
  __builtin_memcpy(bytes.data(), output.data(), bytes.size());
  return digest;
}

Digest sha256(Bytes bytes) { return Hasher::sha256().update(bytes).finish(); }

Result<Digest> hash(HashAlgorithm algorithm, Bytes bytes) {
  Hasher hasher = TRY(Hasher::start(algorithm));
  return hasher.update(bytes).finish();
}

}  // namespace keelson
