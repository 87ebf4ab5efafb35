// SPDX-License-Identifier: MIT
//
// `.efifw` headers (efi/format/firmware_image.h).
#include "efi/format/firmware_image.h"

#include <gtest/gtest.h>

#include "efi/base/wire.h"

namespace keelson {
namespace {

using namespace std::literals;

struct Header {
  Le<std::uint32_t> magic = 0xfeeddead, header_size = 16, id_size = 8, payload_size = 4;
};

std::string image(Header header, std::string_view rest) {
  return std::string(text_of(bytes_of_struct(header))).append(rest);
}

TEST(FirmwareImage, IdAndPayload) {
  const std::string plain = image({}, "acme,fw\0data"s);
  const auto found = parse_firmware_image(bytes_of(plain));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, "acme,fw");
  EXPECT_EQ(text_of(found->payload), "data");

  const std::string later = image({.header_size = 20}, "moreacme,fw\0data and padding"s);
  const auto newer = parse_firmware_image(bytes_of(later));
  ASSERT_TRUE(newer.has_value()) << "a longer header of a later version";
  EXPECT_EQ(newer->id, "acme,fw");
  EXPECT_EQ(text_of(newer->payload), "data");
}

TEST(FirmwareImage, BadInput) {
  struct Row {
    std::string bytes;
    Errc error;
    std::string_view reason;
  };
  const std::string rest = "acme,fw\0data"s;
  const Row rows[] = {
      {"", Errc::truncated, "nothing"},
      {image({}, rest).substr(0, 15), Errc::truncated, "shorter than its header"},
      {image({}, rest).substr(0, 13), Errc::truncated, "what ukify 261 writes"},
      {image({.magic = 0xdeadfeed}, rest), Errc::malformed, "another magic"},
      {image({.header_size = 15}, rest), Errc::malformed, "a header that is too short"},
      {image({.header_size = 0xffff'ffff}, rest), Errc::truncated, "id past the end"},
      {image({.id_size = 0xffff'ffff}, rest), Errc::truncated, "would wrap"},
      {image({.id_size = 0}, rest), Errc::malformed, "no id"},
      {image({.id_size = 7}, rest), Errc::malformed, "id without NUL"},
      {image({.id_size = 9}, rest), Errc::malformed, "more than an id"},
      {image({.payload_size = 5}, rest), Errc::truncated, "payload past the end"},
      {image({.payload_size = 0xffff'ffff}, rest), Errc::truncated, "would wrap"},
  };
  for (const Row& row : rows) {
    const auto found = parse_firmware_image(bytes_of(row.bytes));
    ASSERT_FALSE(found.has_value()) << row.reason;
    EXPECT_EQ(name(found.error().code), name(row.error)) << row.reason;
  }
}

}  // namespace
}  // namespace keelson
