// SPDX-License-Identifier: MIT
//
// The simulated variable store keeps to UEFI 2.10, 8.2 (variables.h).
#include "host-tests/sim/variables.h"

#include <gtest/gtest.h>

#include <set>

namespace keelson::sim {
namespace {

namespace status = efi::status;
using efi::Status;

constexpr Guid vendor = "11111111-2222-3333-4444-555555555555"_guid;
constexpr Guid other_vendor = "99999999-2222-3333-4444-555555555555"_guid;
constexpr std::uint32_t persistent = loader_interface::persistent_attributes;
constexpr std::uint32_t for_this_boot = loader_interface::volatile_attributes;
constexpr Variables::Name name = {vendor, u"Name", for_this_boot};

class VariablesTest : public testing::Test {
 protected:
  Status set(const char16_t* text, std::uint32_t attributes, std::string_view data) {
    return store.set_variable(text, efi::as_efi(vendor), attributes, data.size(), data.data());
  }
  Status get(const char16_t* text, std::size_t room, std::string& data,
             std::uint32_t* attributes = nullptr) {
    data.assign(room, '#');
    UINTN size = room;
    const Status result =
        store.get_variable(text, efi::as_efi(vendor), attributes, &size, data.data());
    data.resize(size);
    return result;
  }
  Calls calls;
  Variables store{calls};
};

TEST_F(VariablesTest, GivesBackWhatWasSet) {
  EXPECT_EQ(set(u"Name", for_this_boot, "value"), status::success);
  std::string data;
  std::uint32_t attributes = 0;
  EXPECT_EQ(get(u"Name", 5, data, &attributes), status::success);
  EXPECT_EQ(data, "value");
  EXPECT_EQ(attributes, for_this_boot);
  EXPECT_EQ(get(u"name", 5, data), status::not_found) << "case counts";
  UINTN size = 5;
  EXPECT_EQ(store.get_variable(u"Name", efi::as_efi(other_vendor), nullptr, &size, data.data()),
            status::not_found);
}

TEST_F(VariablesTest, TellsTheSizeOfWhatDoesNotFit) {
  set(u"Name", for_this_boot, "value");
  std::string data;
  std::uint32_t attributes = 99;
  EXPECT_EQ(get(u"Name", 4, data, &attributes), status::buffer_too_small);
  EXPECT_EQ(data.size(), 5u);
  EXPECT_EQ(attributes, for_this_boot);
  store.set_tells_attributes_when_too_small(false);
  attributes = 99;
  EXPECT_EQ(get(u"Name", 0, data, &attributes), status::buffer_too_small);
  EXPECT_EQ(attributes, 99u);
}

TEST_F(VariablesTest, KeepsTheRulesOfWriting) {
  struct Row {
    const char16_t* name;
    std::uint32_t attributes;
    std::string_view data;
    Status expected;
    const char* reason;
  };
  set(u"Here", for_this_boot, "old");
  store.refuse_writes({vendor, u"Refused"});
  const std::string large(40'000, 'x');
  const Row rows[] = {
      {u"New", for_this_boot, "x", status::success, "a new one"},
      {u"Here", for_this_boot, "x", status::success, "replaced"},
      {u"Here", persistent, "x", status::invalid_parameter, "attributes of a variable stay"},
      {u"None", for_this_boot, "", status::not_found, "deleting what is not there"},
      {u"Here", for_this_boot, "", status::success, "an empty value deletes"},
      {u"", for_this_boot, "x", status::invalid_parameter, "no name"},
      {u"New2", 4, "x", status::invalid_parameter, "runtime access alone"},
      {u"New2", 0x8000'0000, "x", status::invalid_parameter, "an unknown attribute"},
      {u"New2", 0x27, "x", status::security_violation, "authenticated, without a signature"},
      {u"Refused", for_this_boot, "x", status::write_protected, "firmware refuses some"},
      {u"New2", for_this_boot, large, status::invalid_parameter, "too large"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(set(row.name, row.attributes, row.data), row.expected) << row.reason;
  EXPECT_FALSE(store.exists({vendor, u"Here"}));
  EXPECT_EQ(set(u"New", 0, "x"), status::success) << "no access at all deletes";
  EXPECT_TRUE(store.all().empty());
  EXPECT_EQ(store.writes(), (std::vector<std::u16string>{u"set Here", u"set New", u"set Here",
                                                         u"delete Here", u"delete New"}));
}

TEST_F(VariablesTest, AppendsWhereAsked) {
  set(u"Name", for_this_boot, "abc");
  EXPECT_EQ(set(u"Name", for_this_boot | EFI_VARIABLE_APPEND_WRITE, "def"), status::success);
  EXPECT_EQ(store.utf8(name), "abcdef");
}

TEST_F(VariablesTest, HasAQuotaForNonVolatileOnes) {
  store.set_quota(30);
  EXPECT_EQ(set(u"Name", persistent, "0123456789"), status::success) << "20 of 30";
  EXPECT_EQ(set(u"Nam2", persistent, "01"), status::out_of_resources);
  EXPECT_EQ(set(u"Name", persistent, "012345678901234567890"), status::out_of_resources);
  EXPECT_EQ(set(u"Name", persistent, "01234567890123456789"), status::success)
      << "what is replaced does not count";
  EXPECT_EQ(set(u"Volatile", for_this_boot, "0123456789"), status::success);
  UINT64 storage = 0;
  UINT64 remaining = 99;
  UINT64 largest = 0;
  EXPECT_EQ(store.query_variable_info(persistent, &storage, &remaining, &largest), status::success);
  EXPECT_EQ(remaining, 0u);
}

TEST_F(VariablesTest, LosesVolatileOnesWithThePower) {
  set(u"Name", for_this_boot, "x");
  set(u"Kept", persistent, "y");
  store.power_cycle();
  EXPECT_FALSE(store.exists(name));
  EXPECT_EQ(store.utf8({vendor, u"Kept"}), "y");
}

TEST_F(VariablesTest, ListsEachNameOnce) {
  std::set<std::u16string> expected;
  for (char16_t c = u'a'; c <= u'h'; ++c) {
    const std::u16string text = std::u16string(u"Variable") + c;
    set(text.c_str(), for_this_boot, "x");
    expected.insert(text);
  }
  char16_t text[32] = {};
  EFI_GUID guid{};
  UINTN size = 4;
  EXPECT_EQ(store.get_next_variable_name(&size, text, &guid), status::buffer_too_small);
  EXPECT_EQ(size, 20u);
  std::set<std::u16string> seen;
  size = sizeof(text);
  while (store.get_next_variable_name(&size, text, &guid) == status::success) {
    EXPECT_TRUE(seen.insert(text).second) << "twice";
    size = sizeof(text);
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(VariablesTest, SpeaksTexts) {
  store.set_text(name, u"text");
  EXPECT_EQ(store.get(name)->data.size(), 10u) << "with its NUL";
  EXPECT_EQ(store.text(name), u"text");
  EXPECT_EQ(store.text({vendor, u"None"}), std::nullopt);
}

TEST_F(VariablesTest, IsCountedAndFailedByItsCalls) {
  calls.arm();
  calls.fail_every("SetVariable", status::device_error, "Na");
  EXPECT_EQ(set(u"Other", for_this_boot, "x"), status::success);
  EXPECT_EQ(set(u"Name", for_this_boot, "x"), status::device_error);
  EXPECT_FALSE(store.exists(name));
}

}  // namespace
}  // namespace keelson::sim
