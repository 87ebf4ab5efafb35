// SPDX-License-Identifier: MIT
//
// Device trees in whole boots (stub.md 1.4, 2.3, 6): which one the kernel sees, what is measured of
// it, and that the firmware's own is there again afterwards. How one is fixed up and installed:
// host-tests/firmware/device_tree_table_test.cpp.
#include <gtest/gtest.h>

#include "efi/firmware/uefi.h"
#include "host-tests/format/sample_device_tree.h"
#include "host-tests/sim/sample_machine.h"
#include "host-tests/stub/expected.h"
#include "host-tests/stub/kernel_view.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using namespace std::literals;
using sim::Machine;
using Events = std::vector<std::string>;
using Sections = std::vector<sample::Section>;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\sample.efi";
constexpr std::u16string_view own = u"\\EFI\\Linux\\sample.efi.extra.d\\";

std::string tree(const std::string& board) { return sample::device_tree_of(board + '\0'); }

// A machine whose firmware has a tree of its own, and a kernel that looks at what it is given and
// then gives control back.
struct Case {
  explicit Case(const Sections& sections = {}) {
    Sections all = {{.name = ".linux", .content = sample::text(sim::kernel_image("kernel"))}};
    all.insert(all.end(), sections.begin(), sections.end());
    image = machine.add_image(uki_path, "stub", all);
    const std::string text = tree("firmware");
    own_tree.resize(text.size() / sizeof(std::uint32_t) + 1);
    __builtin_memcpy(own_tree.data(), text.data(), text.size());
    machine.configuration().set(efi::table_guid::device_tree, own_tree.data());
    machine.images().add_payload("kernel", [this](sim::Firmware& firmware, efi::Handle) {
      look(firmware);
      return sim::Ending::returns(efi::status::load_error);
    });
  }
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  void look(sim::Firmware& firmware) {
    at = static_cast<const std::byte*>(firmware.configuration().find(efi::table_guid::device_tree));
    if (at == nullptr) return;
    if (at != reinterpret_cast<const std::byte*>(own_tree.data()))
      kept_by_kernel = firmware.memory().kind_of(at) == EfiACPIReclaimMemory;
    seen = sim::device_tree_seen(firmware);
  }
  void add(std::u16string_view name, const std::string& device_tree) {
    machine.add_addon(std::u16string(own) + std::u16string(name),
                      {{.name = ".dtb", .content = device_tree}});
  }
  // The kernel was there, and everything is as before.
  void run(const void* afterwards) {
    const sim::Run ran = machine.run(uki_path);
    EXPECT_EQ(ran.end, sim::End::returned) << ran;
    EXPECT_EQ(ran.started_text(), "stub kernel");
    EXPECT_TRUE(ran.problems.empty()) << ran;
    EXPECT_EQ(machine.configuration().find(efi::table_guid::device_tree), afterwards);
  }
  void run() { run(own_tree.data()); }
  void expect_measured(const Events& events) {
    for (const HashAlgorithm bank : all_hash_algorithms)
      EXPECT_EQ(machine.register_hex(bank, 12), expected::pcr(bank, events)) << name(bank);
  }
  bool logged(std::string_view text) {
    const auto log = machine.variables().utf8(bli::keelson_log);
    return log && log->find(text) != std::string::npos;
  }

  Machine machine;
  sample::Buffer image;
  std::vector<std::uint32_t> own_tree;
  const std::byte* at = nullptr;  // what the kernel has seen
  std::string seen;
  bool kept_by_kernel = false;  // in memory that it does not use for anything else
};
Sections with_tree(const std::string& content) { return {{.name = ".dtb", .content = content}}; }

TEST(StubDeviceTrees, ThatOfTheImageReplacesTheFirmwares) {
  Case c(with_tree(tree("image")));
  c.run();
  EXPECT_EQ(c.seen, tree("image"));
  EXPECT_TRUE(c.kept_by_kernel);
  c.expect_measured({});
}

TEST(StubDeviceTrees, WithoutAnyTheFirmwaresStays) {
  Case c;
  c.run();
  EXPECT_EQ(c.seen, tree("firmware"));
  EXPECT_FALSE(c.kept_by_kernel);
}

TEST(StubDeviceTrees, OneIsInstalledAlsoWhereTheFirmwareHasNone) {
  Case c(with_tree(tree("image")));
  c.machine.configuration().remove(efi::table_guid::device_tree);
  c.run(nullptr);
  EXPECT_EQ(c.seen, tree("image"));
}

TEST(StubDeviceTrees, OfAddonsEachIsMeasuredAndTheLastCounts) {
  Case c(with_tree(tree("image")));
  c.add(u"a.addon.efi", tree("first"));
  c.add(u"b.addon.efi", tree("second") + std::string(3, '\0'));
  c.run();
  EXPECT_EQ(c.seen, tree("second"));
  c.expect_measured({tree("first"), tree("second") + std::string(3, '\0')});
}

TEST(StubDeviceTrees, AreMeasuredAsTheyWereBeforeTheFirmwareAddedToThem) {
  Case c;
  c.machine.device_tree_fixup().enable("fixed");
  c.add(u"a.addon.efi", tree("addon"));
  c.run();
  EXPECT_TRUE(c.seen.ends_with("fixed"));
  EXPECT_GT(c.seen.size(), tree("addon").size());
  c.expect_measured({tree("addon")});
}

TEST(StubDeviceTrees, OneThatTheFirmwareCannotFixUpIsNeitherMeasuredNorInstalled) {
  Case c(with_tree(tree("image")));
  c.machine.device_tree_fixup().enable("fixed");
  c.machine.device_tree_fixup().fail_with(efi::status::invalid_parameter);
  c.add(u"a.addon.efi", tree("addon"));
  c.run();
  EXPECT_EQ(c.seen, tree("firmware"));
  c.expect_measured({});
  EXPECT_TRUE(c.logged("the device tree of the image is not used"));
  EXPECT_TRUE(c.logged("the device tree of a.addon.efi is not used"));
}

TEST(StubDeviceTrees, OneThatCannotBeMeasuredIsNotInstalled) {
  struct Row {
    std::uint64_t failing;  // which event
    std::string_view seen, measured;
  };
  constexpr Row rows[] = {{1, "second", "second"}, {2, "first", "first"}};
  for (const Row& row : rows) {
    Case c(with_tree(tree("image")));
    c.add(u"a.addon.efi", tree("first"));
    c.add(u"b.addon.efi", tree("second"));
    c.machine.tpm().fail_event(12, row.failing);
    c.run();
    EXPECT_EQ(c.seen, tree(std::string(row.seen)));
    c.expect_measured({tree(std::string(row.measured))});
  }
  Case c(with_tree(tree("image")));
  c.add(u"a.addon.efi", tree("addon"));
  c.machine.tpm().fail_event(12, 1);
  c.run();
  EXPECT_EQ(c.seen, tree("image")) << "measured with the image";
}

TEST(StubDeviceTrees, AFirmwareThatTakesNoneIsNoReasonNotToBoot) {
  Case c(with_tree(tree("image")));
  c.add(u"a.addon.efi", tree("addon"));
  c.machine.calls().fail_every("InstallConfigurationTable", efi::status::out_of_resources);
  c.run();
  EXPECT_EQ(c.seen, tree("firmware"));
  EXPECT_TRUE(c.logged("a device tree cannot be installed"));
}

TEST(StubDeviceTrees, DamagedOnesAreNotUsed) {
  const std::string good = tree("x");
  for (const std::string& bad :
       {"no tree"s, good.substr(0, good.size() - 1), std::string(4, 'x') + good}) {
    Case c(with_tree(bad));
    c.add(u"a.addon.efi", bad);
    c.run();
    EXPECT_EQ(c.seen, tree("firmware"));
    c.expect_measured({});
  }
}

// PCR 11 with that header's section as the `.dtbauto` of this machine.
std::string predicted(Case& c, HashAlgorithm bank, std::optional<std::uint32_t> selected) {
  return c.machine.predicted(bank, 11, [&](MeasurementList& list) {
    const auto uki = uki::Uki::parse(c.image, pe::Layout::file);
    ASSERT_TRUE(uki.has_value());
    uki::Effective sections = uki->effective_base();
    if (selected) sections.select(UkiSection::dtbauto, *selected);
    EXPECT_TRUE(list.add_uki({*uki, sections}).has_value());
  });
}

TEST(StubDeviceTrees, TheCandidateOfThisMachineCountsAndIsMeasured) {
  const Sections sections = {
      {.name = ".dtb", .content = tree("any")},
      {.name = ".dtbauto", .content = tree("acme,mk1")},
      {.name = ".dtbauto", .content = sample::device_tree_of("firmware\0of the image\0"s)},
      {.name = ".dtbauto", .content = tree("acme,mk3")},
  };
  struct Row {
    bool has_tree;
    std::string seen;
    std::optional<std::uint32_t> selected;  // header; 0 to 2 are the stub's own
    std::string_view reason;
  };
  const Row rows[] = {
      {true, sections[2].content, 6, "the candidate of the board"},
      {false, tree("any"), std::nullopt, "no candidate is for it: the tree for all"},
  };
  for (const Row& row : rows) {
    Case c(sections);
    if (!row.has_tree) c.machine.configuration().remove(efi::table_guid::device_tree);
    c.run(row.has_tree ? c.own_tree.data() : nullptr);
    EXPECT_EQ(c.seen, row.seen) << row.reason;
    for (const HashAlgorithm bank : all_hash_algorithms)
      EXPECT_EQ(c.machine.register_hex(bank, 11), predicted(c, bank, row.selected)) << row.reason;
  }
}

}  // namespace
}  // namespace keelson
