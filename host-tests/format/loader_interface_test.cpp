// SPDX-License-Identifier: MIT
//
// Encodings of the boot loader interface's variables (efi/format/loader_interface.h).
#include "efi/format/loader_interface.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "efi/format/entry_list.h"
#include "host-tests/utf16.h"

namespace keelson::loader_interface {
namespace {

using namespace std::literals;

std::u16string units(const Result<Bytes>& value) {
  return value.has_value() ? units_of(*value) : u"(error)";
}

TEST(LoaderInterface, Encodings) {
  TextArena arena;
  EXPECT_EQ(units(encode_text(u"keelson-boot 0.1.0", arena)), u"keelson-boot 0.1.0\0"sv);
  EXPECT_EQ(units(encode_text("\xC3\xA4"sv, arena)), u"\u00E4\0"sv);
  EXPECT_EQ(units(encode_text(u"", arena)), u"\0"sv);
  EXPECT_EQ(units(encode_decimal(0, arena)), u"0\0"sv);
  EXPECT_EQ(units(encode_decimal(18446744073709551615u, arena)), u"18446744073709551615\0"sv);
  EXPECT_EQ(units(encode_pcr_banks(0, arena)), u"0x00000000\0"sv);
  EXPECT_EQ(units(encode_pcr_banks(0xFFFFFFFF, arena)), u"0xffffffff\0"sv);
  EXPECT_EQ(units(encode_pcr_banks(0x1A, arena)), u"0x0000001a\0"sv);
  EXPECT_EQ(units(encode_revision(u"EDK II", 0x00010000, arena)), u"EDK II 1.00\0"sv);
  EXPECT_EQ(units(encode_revision(u"UEFI", 0x00020046, arena)), u"UEFI 2.70\0"sv);
  EXPECT_EQ(units(encode_revision(u"X", 0xFFFFFFFF, arena)), u"X 65535.65535\0"sv);
  EXPECT_EQ(units(encode_guid(loader_vendor, arena)), u"4A67B082-0A4C-41CF-B6C7-440B29BB8C4F\0"sv);
  const auto features = encode_u64(loader_feature::pcr_smbios | loader_feature::config_timeout);
  const std::array<std::byte, 8> expected = {std::byte{1}, {}, std::byte{0x20}};
  EXPECT_EQ(features, expected);
}

TEST(LoaderInterface, EntriesAreConcatenated) {
  TextArena arena;
  Entry entries[2];
  entries[0].id = u"a.conf";
  entries[1].id = u"b.efi@x";
  EXPECT_EQ(units(encode_entries(entries, arena)), u"a.conf\0b.efi@x\0"sv);
  EXPECT_EQ(units(encode_entries({}, arena)), u"");
}

TEST(LoaderInterface, DecodesTexts) {
  TextArena arena;
  struct Row {
    std::u16string_view value, text;
    std::string_view reason;
  };
  const Row rows[] = {
      {u"a.conf\0"sv, u"a.conf", "usual"},
      {u"a.conf"sv, u"a.conf", "missing NUL"},
      {u"a\0b\0"sv, u"a", "ends at the first NUL"},
      {u""sv, u"", "empty"},
      {u"\0"sv, u"", "NUL alone"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    const auto text = decode_text(bytes_of(row.value), arena);
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(*text, row.text);
  }
  EXPECT_EQ(decode_text(bytes_of("abc"sv), arena).error().code, Errc::malformed);
  const std::u16string large(32 * 1024, u'x');
  EXPECT_EQ(decode_text(bytes_of(std::u16string_view(large)), arena).value(), large);

  const std::string unaligned = "_a\0b\0"s + "\0\0"s;
  EXPECT_EQ(decode_text(bytes_of(std::string_view(unaligned).substr(1)), arena).value(), u"ab");
}

TEST(LoaderInterface, DecodesNumbers) {
  EXPECT_EQ(decode_u64(encode_u64(0x0102030405060708)).value(), 0x0102030405060708u);
  EXPECT_FALSE(decode_u64(bytes_of("1234567"sv)).has_value());
  EXPECT_FALSE(decode_u64(bytes_of("123456789"sv)).has_value());
}

TEST(LoaderInterface, Attributes) {
  EXPECT_EQ(loader_info.attributes, 6u);
  EXPECT_EQ(entry_one_shot.attributes, 7u);
  EXPECT_EQ(keelson_log.vendor, keelson_vendor);
  EXPECT_EQ(os_indications.vendor, global_vendor);
}

}  // namespace
}  // namespace keelson::loader_interface
