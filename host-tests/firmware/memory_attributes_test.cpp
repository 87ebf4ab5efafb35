// SPDX-License-Identifier: MIT
//
// Page rights of a kernel that is put in place (efi/firmware/memory_attributes.h).
#include "efi/firmware/memory_attributes.h"

#include "efi/base/pages.h"
#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

constexpr std::uint64_t xp = memory_execute_protect;
constexpr std::uint64_t ro = memory_read_only;

TEST(MemoryAttributesTest, CodeIsReadOnlyAndAllElseIsNotExecutable) {
  sim::Firmware firmware({.memory_attributes = true});
  run_in(firmware, [&](Image&) {
    const Pages pages = *Pages::allocate(8 * page_size);
    const auto rights_at = [&](std::size_t page) {
      return firmware.memory().rights_at(pages.data() + page * page_size);
    };
    {
      MemoryAttributes rights;
      ASSERT_TRUE(rights.forbid_execution(pages.bytes()).has_value());
      ASSERT_TRUE(rights.make_code(pages.bytes().subspan(page_size, 2 * page_size)).has_value());
      ASSERT_TRUE(rights.make_code(pages.bytes().subspan(6 * page_size, page_size)).has_value());
      for (const std::size_t page : {0u, 3u, 4u, 5u, 7u}) EXPECT_EQ(rights_at(page), xp) << page;
      for (const std::size_t page : {1u, 2u, 6u}) EXPECT_EQ(rights_at(page), ro) << page;
    }
    for (std::size_t page = 0; page < 8; ++page) EXPECT_EQ(rights_at(page), 0u) << page;
  });
}

TEST(MemoryAttributesTest, LeavesPagesThatCameNotExecutableSo) {
  sim::Firmware firmware({.memory_attributes = true});
  run_in(firmware, [&](Image&) {
    const Pages pages = *Pages::allocate(2 * page_size);
    MemoryAttributeProtocol* const protocol = firmware.memory().attribute_protocol();
    const auto base = reinterpret_cast<std::uintptr_t>(pages.data());
    ASSERT_EQ(protocol->set(protocol, base, pages.size(), xp), status::success);
    {
      MemoryAttributes rights;
      ASSERT_TRUE(rights.forbid_execution(pages.bytes()).has_value());
      ASSERT_TRUE(rights.make_code(pages.bytes().first(page_size)).has_value());
      EXPECT_EQ(firmware.memory().rights_at(pages.data()), ro);
    }
    EXPECT_EQ(firmware.memory().rights_at(pages.data()), xp);
    ASSERT_EQ(protocol->clear(protocol, base, pages.size(), xp), status::success);
  });
}

TEST(MemoryAttributesTest, DoesNothingWhereThereAreNone) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    MemoryAttributes rights;
    std::byte unaligned[16] = {};
    EXPECT_TRUE(rights.forbid_execution(Bytes(unaligned)).has_value());
    EXPECT_TRUE(rights.make_code(Bytes(unaligned)).has_value());
  });
}

TEST(MemoryAttributesTest, PutsRightsBackAfterAFailureInTheMiddle) {
  for (const std::string_view call : {"MemoryAttribute.Set", "MemoryAttribute.Clear"}) {
    SCOPED_TRACE(call);
    sim::Firmware firmware({.memory_attributes = true});
    run_in(firmware, [&](Image&) {
      const Pages pages = *Pages::allocate(4 * page_size);
      {
        MemoryAttributes rights;
        EXPECT_EQ(code_of(rights.forbid_execution(pages.bytes().first(page_size + 1))),
                  "malformed");
        ASSERT_TRUE(rights.forbid_execution(pages.bytes()).has_value());
        firmware.calls().fail_every(call, status::unsupported);
        EXPECT_EQ(code_of(rights.make_code(pages.bytes().first(page_size))), "unsupported");
        firmware.calls().fail_none();
      }
      for (std::size_t page = 0; page < 4; ++page)
        EXPECT_EQ(firmware.memory().rights_at(pages.data() + page * page_size), 0u) << page;
    });
  }
}

}  // namespace
}  // namespace keelson::efi
