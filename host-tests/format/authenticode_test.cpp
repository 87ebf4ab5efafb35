// SPDX-License-Identifier: MIT
//
// What Secure Boot hashes (efi/format/authenticode.h).
#include "efi/format/authenticode.h"

#include <gtest/gtest.h>

#include "host-tests/format/sample_pe.h"

namespace keelson {
namespace {

using sample::Buffer;

sample::Pe small() {
  sample::Pe pe;
  pe.sections = {{.name = ".text", .content = "code"}, {.name = ".data", .content = "data"}};
  return pe;
}

std::string hashed(const Buffer& file) {
  const auto parts = authenticode::hashed_bytes(file);
  if (!parts.has_value()) return "(" + std::string(parts.error().what) + ")";
  std::string all;
  for (const Bytes part : parts->items()) all += text_of(part);
  return all;
}

// A signed copy, as signers do it: padded to 8 bytes, table at the end, its place in directory 4.
Buffer sign(Buffer file, std::string_view signature) {
  file.resize((file.size() + 7) & ~std::size_t{7});
  const auto at = static_cast<std::uint32_t>(file.size());
  const auto length = static_cast<std::uint32_t>(8 + signature.size());
  const std::uint32_t padded = (length + 7) & ~7u;
  sample::put(file, at, Le<std::uint32_t>(length));
  sample::put(file, at + 4, Le<std::uint16_t>(0x200));
  sample::put(file, at + 6, Le<std::uint16_t>(2));
  file.resize(at + padded);
  std::ranges::copy(bytes_of(signature), file.begin() + at + 8);
  pe::DataDirectory directory;
  directory.address = at;
  directory.size = padded;
  sample::put(file, 0x40 + 24 + 112 + 4 * 8, directory);
  sample::put(file, 0x40 + 24 + 64, Le<std::uint32_t>(0x12345678));  // and a new checksum
  return file;
}

TEST(Authenticode, LeavesOutChecksumAndCertificateEntry) {
  const Buffer file = sample::make(small());
  std::string expected = sample::text(file);
  const std::size_t optional = 0x40 + 24;
  expected.erase(optional + 112 + 4 * 8, 8);
  expected.erase(optional + 64, 4);
  EXPECT_EQ(hashed(file), expected);
}

TEST(Authenticode, IsTheSameBeforeAndAfterSigning) {
  for (const std::size_t extra : {0u, 1u, 5u, 8u}) {
    Buffer file = sample::make(small());
    file.resize(file.size() + extra, std::byte{'x'});
    const Buffer signed_file = sign(file, "not really a signature");
    EXPECT_EQ(hashed(signed_file), hashed(file)) << extra << " bytes behind the sections";
    EXPECT_EQ(hashed(file).size() % 8, 4u) << "padded; 12 of the bytes are left out";
    EXPECT_TRUE(authenticode::certificate_table(file)->empty());
    const auto table = authenticode::certificate_table(signed_file);
    ASSERT_TRUE(table.has_value());
    std::size_t at = 0;
    const auto certificate = authenticode::next_certificate(*table, at);
    ASSERT_TRUE(certificate.has_value() && certificate->has_value());
    EXPECT_EQ((*certificate)->type, authenticode::type_pkcs7);
    EXPECT_EQ(text_of((*certificate)->content), "not really a signature");
    EXPECT_FALSE(authenticode::next_certificate(*table, at)->has_value());
  }
}

TEST(Authenticode, SectionsAreHashedInFileOrder) {
  sample::Pe pe = small();
  pe.sections[0].raw_pointer = 0x600;
  pe.sections[1].raw_pointer = 0x400;
  pe.size_of_headers = 0x400;
  const Buffer file = sample::make(pe);
  const std::string all = hashed(file);
  EXPECT_EQ(all.substr(0x400 - 12), sample::text(file).substr(0x400));
}

TEST(Authenticode, EveryByteButTheExceptionsCounts) {
  const Buffer file = sample::make(small());
  const std::string before = hashed(file);
  const std::size_t optional = 0x40 + 24;
  for (std::size_t i = 0x200; i < file.size(); ++i) {
    Buffer changed = file;
    changed[i] ^= std::byte{1};
    EXPECT_NE(hashed(changed), before) << i;
  }
  for (std::size_t i = optional + 64; i < optional + 68; ++i) {
    Buffer changed = file;
    changed[i] ^= std::byte{1};
    EXPECT_EQ(hashed(changed), before) << i;
  }
}

TEST(Authenticode, AmbiguousFilesAreRefused) {
  struct Row {
    void (*spoil)(sample::Pe&);
    std::string_view reason;
  };
  const Row rows[] = {
      {[](sample::Pe& pe) { pe.sections[1].raw_pointer = 0x400; }, "two sections in one place"},
      {[](sample::Pe& pe) { pe.sections[0].raw_pointer = 0x100; }, "a section over the headers"},
      {[](sample::Pe& pe) { pe.sections[1].raw_size = 0x1000; }, "past the end"},
      {[](sample::Pe& pe) { pe.size_of_headers = 0x100; }, "headers longer than SizeOfHeaders"},
      {[](sample::Pe& pe) { pe.sections[1].virtual_size = 0xFFFFFFFF; },
       "a section that readers skip"},
      {[](sample::Pe& pe) { pe.certificates.address = 0x400, pe.certificates.size = 0x400; },
       "I-PE 22: certificates over sections"},
      {[](sample::Pe& pe) { pe.certificates.address = 0x10000, pe.certificates.size = 8; },
       "certificates past the end"},
      {[](sample::Pe& pe) { pe.certificates.address = 0xFFFFFFF8, pe.certificates.size = 16; },
       "certificates that wrap"},
      {[](sample::Pe& pe) { pe.certificates.size = 8; }, "certificates over the DOS header"},
  };
  ASSERT_NE(hashed(sample::make(small()))[0], '(');
  for (const Row& row : rows) {
    sample::Pe pe = small();
    pe.size_of_headers = 0x400;
    row.spoil(pe);
    EXPECT_FALSE(authenticode::hashed_bytes(sample::make(pe)).has_value()) << row.reason;
  }
  Buffer trailing = sign(sample::make(small()), "s");
  trailing.resize(trailing.size() + 8);
  EXPECT_FALSE(authenticode::hashed_bytes(trailing).has_value()) << "data behind certificates";
}

TEST(Authenticode, EveryPrefixIsHashedWithinItsBytes) {
  const Buffer file = sign(sample::make(small()), "s");
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Buffer prefix(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(authenticode::hashed_bytes(prefix).has_value()) << size;
  }
}

TEST(Authenticode, BadCertificates) {
  struct Row {
    std::string table;
    bool good;
    std::string_view reason;
  };
  const Row rows[] = {
      {std::string("\x08\0\0\0\0\2\2\0", 8), true, "empty one"},
      {std::string("\x08\0\0\0\0\2\2", 7), false, "cut header"},
      {std::string("\x07\0\0\0\0\2\2\0", 8), false, "length below the header"},
      {std::string("\0\0\0\0\0\2\2\0", 8), false, "length 0: would never end"},
      {std::string("\x09\0\0\0\0\2\2\0", 8), false, "past the end"},
      {std::string("\xff\xff\xff\xff\0\2\2\0", 8), false, "far past the end"},
  };
  for (const Row& row : rows) {
    std::size_t at = 0;
    EXPECT_EQ(authenticode::next_certificate(bytes_of(row.table), at).has_value(), row.good)
        << row.reason;
  }
}

}  // namespace
}  // namespace keelson
