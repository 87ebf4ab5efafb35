// SPDX-License-Identifier: MIT
//
// Access to variables (efi/firmware/variables.h): bounded, and writing only where something
// changes.
#include "efi/firmware/variables.h"

#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

constexpr VariableId kept = {loader_interface::loader_vendor, u"TestKept",
                             loader_interface::persistent_attributes};
constexpr VariableId lost = {loader_interface::loader_vendor, u"TestLost"};

class VariableAccessTest : public testing::Test {
 protected:
  template <class Body>
  void with_variables(Body body) {
    run_in(firmware, [&](Image& self) { body(self.variables()); });
  }
  sim::Firmware firmware;
  sim::Variables& store = firmware.variables();
};

TEST_F(VariableAccessTest, ReadsAnySizeUpToTheBound) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{512},
                                 std::size_t{513}, std::size_t{1_MiB}}) {
    SCOPED_TRACE(size);
    const std::vector<std::byte> data(size, std::byte{7});
    store.set(kept, data);
    with_variables([&](Variables variables) {
      TextArena arena;
      const auto value = variables.get(kept, arena);
      ASSERT_TRUE(value.has_value()) << value.error().what;
      EXPECT_TRUE(std::ranges::equal(value->data, data));
      EXPECT_EQ(value->attributes, kept.attributes);
      EXPECT_LE(calls_of(firmware, "GetVariable"), 2u);
      std::vector<std::byte> room(size);
      EXPECT_EQ(code_of(variables.get(kept, MutableBytes(room))), "");
      if (size != 0)
        EXPECT_EQ(code_of(variables.get(kept, MutableBytes(room).first(size - 1))), "truncated");
      EXPECT_TRUE(variables.exists(kept));
    });
  }
  store.set(kept, std::vector<std::byte>(1_MiB + 1));
  with_variables([&](Variables variables) {
    TextArena arena;
    EXPECT_EQ(code_of(variables.get(kept, arena)), "unsupported");
    EXPECT_EQ(code_of(variables.get(lost, arena)), "not found");
    EXPECT_FALSE(variables.exists(lost));
  });
}

TEST_F(VariableAccessTest, SurvivesVariablesThatGrow) {
  struct Row {
    std::size_t most_growths;
    std::string_view expected;
    const char* reason;
  };
  const Row rows[] = {{1, "", "grows once"},
                      {3, "", "grows three times"},
                      {1000, "unsupported", "never stops growing"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    std::size_t growths = 0;
    store.set(kept, std::vector<std::byte>(600));
    store.before_get([&](sim::Variables& changed) {
      if (growths < row.most_growths)
        changed.set(kept, std::vector<std::byte>(600 + 600 * ++growths, std::byte{9}));
    });
    with_variables([&](Variables variables) {
      TextArena arena;
      const auto value = variables.get(kept, arena);
      EXPECT_EQ(code_of(value), row.expected);
      if (value.has_value()) EXPECT_EQ(value->data.size(), 600 + 600 * growths);
    });
    store.before_get(nullptr);
  }
}

TEST_F(VariableAccessTest, WritesOnlyWhatChanges) {
  struct Row {
    const char* reason;
    VariableId id;
    std::optional<std::string_view> before;
    std::uint32_t attributes_before;
    std::string_view data;
    std::string_view expected;
    std::size_t writes;
  };
  const std::uint32_t persistent = kept.attributes;
  const std::string large(600, 'x');
  const Row rows[] = {
      {"a new one", kept, std::nullopt, 0, "abc", "", 1},
      {"the same again", kept, "abc", persistent, "abc", "", 0},
      {"another value", kept, "abc", persistent, "abd", "", 1},
      {"a longer one", kept, "abc", persistent, "abcd", "", 1},
      {"volatile ones cost nothing", lost, std::nullopt, 0, "abc", "", 1},
      {"larger than what is compared", kept, large, persistent, large, "", 1},
      {"an empty value would delete", kept, "abc", persistent, "", "malformed", 0},
      {"other attributes: firmware refuses", kept, "abc", 3, "abc", "firmware error", 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    store.remove(row.id);
    store.forget_writes();
    if (row.before) store.set(row.id, bytes_of(*row.before), row.attributes_before);
    with_variables([&](Variables variables) {
      EXPECT_EQ(code_of(variables.set(row.id, bytes_of(row.data))), row.expected);
    });
    EXPECT_EQ(store.writes().size(), row.writes);
    if (row.expected.empty()) EXPECT_EQ(store.utf8(row.id), row.data);
  }
}

TEST_F(VariableAccessTest, SaysWhyItCannotWrite) {
  store.refuse_writes(kept);
  with_variables([&](Variables variables) {
    EXPECT_EQ(code_of(variables.set(kept, bytes_of("x"))), "denied");
    EXPECT_EQ(code_of(variables.set(lost, std::vector<std::byte>(1_MiB + 1))), "unsupported");
    const VariableId long_name = {kept.vendor, std::u16string_view(u"x")};
    EXPECT_EQ(code_of(variables.set(long_name, bytes_of("x"))), "");
    const std::u16string too_long(512, u'x');
    EXPECT_EQ(code_of(variables.set({kept.vendor, too_long}, bytes_of("x"))), "unsupported");
    EXPECT_EQ(code_of(variables.set({kept.vendor, std::u16string_view(u"a\0b", 3)}, bytes_of("x"))),
              "malformed");
  });
  store.refuse_no_writes();
  store.set_quota(0);
  with_variables([&](Variables variables) {
    EXPECT_EQ(code_of(variables.set(kept, bytes_of("x"))), "out of memory") << "the store is full";
  });
}

TEST_F(VariableAccessTest, SetsIfAbsentAndRemoves) {
  with_variables([&](Variables variables) {
    EXPECT_EQ(code_of(variables.remove(lost)), "") << "not there already";
    EXPECT_TRUE(store.writes().empty());
    EXPECT_EQ(code_of(variables.set_if_absent(lost, bytes_of("first"))), "");
    EXPECT_EQ(code_of(variables.set_if_absent(lost, bytes_of("second"))), "");
    EXPECT_EQ(store.utf8(lost), "first");
    EXPECT_EQ(code_of(variables.remove(lost)), "");
    EXPECT_FALSE(store.exists(lost));
    store.set(lost, {});
    EXPECT_TRUE(variables.exists(lost)) << "an empty one is there too";
    store.set(kept, bytes_of("x"));
    store.refuse_writes(kept);
    EXPECT_EQ(code_of(variables.remove(kept)), "denied");
  });
}

}  // namespace
}  // namespace keelson::efi
