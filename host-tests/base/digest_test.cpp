// SPDX-License-Identifier: MIT
//
// Hashing against the published vectors (FIPS 180-4 examples), against the portable code at every
// length and alignment, and beyond 4 GiB; digest values and their text.
#include "efi/base/digest.h"

#include <gtest/gtest.h>
#include <mbedtls/sha256.h>
#include <sys/mman.h>

#include <string>
#include <vector>

#include "efi/base/sha256_blocks.h"

namespace keelson {
namespace {

std::string hex(const Digest& digest) { return std::string(std::string_view(digest.hex())); }

struct Row {
  HashAlgorithm algorithm;
  std::string_view input;
  std::string_view digest;
  std::string_view reason;
};
constexpr std::string_view two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
constexpr Row rows[] = {
    {HashAlgorithm::sha1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "nothing at all"},
    {HashAlgorithm::sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d", "one block"},
    {HashAlgorithm::sha1, two_blocks, "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
     "padding in a second block"},
    {HashAlgorithm::sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "nothing at all"},
    {HashAlgorithm::sha256, "abc",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "one block"},
    {HashAlgorithm::sha256, two_blocks,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
     "padding in a second block"},
    {HashAlgorithm::sha384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c82"
     "5a7",
     "shares its code with SHA-512"},
    {HashAlgorithm::sha512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "bbd454d4423643ce80e2a9ac94fa54ca49f",
     "the longest digest"},
};

TEST(Digest, PublishedVectors) {
  for (const Row& row : rows) {
    const auto digest = hash(row.algorithm, bytes_of(row.input));
    ASSERT_TRUE(digest.has_value()) << row.reason;
    EXPECT_EQ(hex(*digest), row.digest) << name(row.algorithm) << ": " << row.reason;
    EXPECT_EQ(digest->algorithm(), row.algorithm);
  }
  EXPECT_EQ(hex(sha256(bytes_of(std::string_view("abc")))), rows[4].digest);
}

TEST(Digest, MillionLettersInUnevenPieces) {
  const std::string letters(1000000, 'a');
  constexpr std::string_view digests[] = {
      "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d"
      "8985",
      "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577"
      "c31b"
      "eb009c5c2c49aa2e4eadb217ad8cc09b"};
  for (std::size_t i = 0; i < all_hash_algorithms.size(); ++i) {
    auto hasher = Hasher::start(all_hash_algorithms[i]);
    ASSERT_TRUE(hasher.has_value());
    std::size_t piece = 1;
    for (std::size_t at = 0; at < letters.size(); piece = piece * 7 % 1009 + 1) {
      const std::size_t size = std::min(piece, letters.size() - at);
      hasher->update(bytes_of(std::string_view(letters).substr(at, size)));
      at += size;
    }
    EXPECT_EQ(hex(hasher->finish()), digests[i]) << name(all_hash_algorithms[i]);
  }
}

// The library alone, without the instructions of the CPU.
Digest portable_sha256(Bytes bytes) {
  Digest digest(HashAlgorithm::sha256);
  mbedtls_sha256_ret(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                     reinterpret_cast<unsigned char*>(digest.mutable_bytes().data()), 0);
  return digest;
}

TEST(Digest, InstructionsAndPortableCodeAgree) {
  if (!has_sha256_instructions()) GTEST_SKIP() << "this CPU has no instructions for SHA-256";
  std::vector<std::byte> buffer(700 + 16);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<std::byte>(i * 167 + 13);
  for (std::size_t alignment = 0; alignment < 16; ++alignment)
    for (std::size_t size = 0; size < 700; ++size) {
      const Bytes bytes = Bytes(buffer).subspan(alignment, size);
      ASSERT_EQ(sha256(bytes), portable_sha256(bytes)) << size << " bytes at " << alignment;
    }
}

TEST(Digest, AnySplitOfTheInputGivesTheSameDigest) {
  std::vector<std::byte> buffer(400);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<std::byte>(i * 31 + 7);
  const Digest whole = portable_sha256(buffer);
  for (std::size_t first = 0; first <= buffer.size(); ++first)
    for (std::size_t second = first; second <= buffer.size(); second += 13) {
      Hasher hasher = Hasher::sha256();
      hasher.update(Bytes(buffer).first(first))
          .update(Bytes(buffer).subspan(first, second - first))
          .update(Bytes(buffer).subspan(second));
      ASSERT_EQ(hasher.finish(), whole) << first << ", " << second;
    }
}

TEST(Digest, CopyingAHasherForksTheStream) {
  Hasher hasher = Hasher::sha256();
  hasher.update(bytes_of(std::string_view("ab")));
  Hasher fork = hasher;
  EXPECT_EQ(hasher.update(bytes_of(std::string_view("c"))).finish(),
            sha256(bytes_of(std::string_view("abc"))));
  EXPECT_EQ(fork.update(bytes_of(std::string_view("d"))).finish(),
            sha256(bytes_of(std::string_view("abd"))));
}

TEST(Digest, ZerosWithoutABuffer) {
  const std::vector<std::byte> zeros(1500);
  EXPECT_EQ(Hasher::sha256().update_zeros(1500).finish(), portable_sha256(zeros));
  EXPECT_EQ(Hasher::sha256().update_zeros(0).finish(), portable_sha256({}));
}

// `sha256sum` of 4 GiB + 65 zero bytes; the library alone would count 65.
TEST(Digest, OneUpdateOfMoreThanFourGiB) {
  if (!has_sha256_instructions()) GTEST_SKIP() << "takes a minute without instructions";
  constexpr std::size_t size = 4_GiB + 65;
  void* const zeros =
      mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) GTEST_SKIP() << "no address space";
  const Digest digest = sha256(Bytes(static_cast<const std::byte*>(zeros), size));
  munmap(zeros, size);
  EXPECT_EQ(hex(digest), "9ea0597e74b9cb058f2d853f86b3c3b1bb43cf71f6b4113ada747653470bb24c");
}

TEST(Digest, ValuesAndText) {
  const auto parsed =
      Digest::from_hex(HashAlgorithm::sha1, "A9993E364706816aba3e25717850c26c9cd0d89d");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(hex(*parsed), "a9993e364706816aba3e25717850c26c9cd0d89d");
  const auto copied = Digest::from_bytes(HashAlgorithm::sha1, parsed->bytes());
  ASSERT_TRUE(copied.has_value());
  EXPECT_EQ(*copied, *parsed);
  EXPECT_TRUE(Digest(HashAlgorithm::sha384).is_zero());
  EXPECT_FALSE(parsed->is_zero());
  EXPECT_NE(Digest(HashAlgorithm::sha384), Digest(HashAlgorithm::sha512));

  EXPECT_EQ(Digest::from_hex(HashAlgorithm::sha256, std::string_view(parsed->hex())).error().code,
            Errc::malformed)
      << "the length of another algorithm";
  EXPECT_EQ(Digest::from_hex(HashAlgorithm::sha1, "g9993e364706816aba3e25717850c26c9cd0d89d")
                .error()
                .code,
            Errc::malformed)
      << "a letter that is no digit";
  EXPECT_EQ(Digest::from_bytes(HashAlgorithm::sha256, parsed->bytes()).error().code,
            Errc::malformed);
}

TEST(Digest, AlgorithmNamesAndIds) {
  for (const HashAlgorithm algorithm : all_hash_algorithms) {
    EXPECT_EQ(parse_hash_algorithm(name(algorithm)), algorithm);
    EXPECT_EQ(hash_algorithm_from_id(static_cast<std::uint16_t>(algorithm)), algorithm);
    EXPECT_EQ(Digest(algorithm).bytes().size(), digest_size(algorithm));
  }
  EXPECT_EQ(parse_hash_algorithm("SHA256"), std::nullopt) << "names are lower case";
  EXPECT_EQ(hash_algorithm_from_id(0x12), std::nullopt) << "SM3";
}

}  // namespace
}  // namespace keelson
