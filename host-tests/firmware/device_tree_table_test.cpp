// SPDX-License-Identifier: MIT
//
// The device tree of firmware and kernel (efi/firmware/device_tree.h): fix-ups, installing, putting
// back.
#include "efi/firmware/device_tree.h"

#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"
#include "host-tests/format/sample_device_tree.h"

namespace keelson::efi {
namespace {

using namespace std::literals;

// A tree in memory of the machine, aligned as firmware and sections have it.
struct Tree {
  explicit Tree(const std::string& board) : text(sample::device_tree_of(board + '\0')) {
    words.resize(text.size() / sizeof(std::uint32_t) + 1);
    __builtin_memcpy(words.data(), text.data(), text.size());
  }
  Bytes bytes() const { return std::as_bytes(std::span(words)).first(text.size()); }
  void* at() { return words.data(); }
  std::string text;
  std::vector<std::uint32_t> words;
};

// What the configuration table shows: "board", or "none".
std::string shown(sim::Firmware& firmware) {
  const sim::Unwatched unwatched(firmware.calls());
  const auto tree = installed_device_tree();
  if (!tree.has_value()) return tree.error().code == Errc::not_found ? "none" : "bad";
  const auto board = tree->compatible();
  return board.has_value() ? std::string(*board) : "nameless";
}
std::string tail(std::size_t from) {
  const auto tree = installed_device_tree();
  return tree.has_value() ? std::string(text_of(tree->bytes()).substr(from)) : "none";
}

TEST(DeviceTreeTable, InstalledInMemoryThatTheKernelKeeps) {
  Tree first("first"), second("second"), firmware_own("firmware,board");
  for (const bool has_own : {false, true}) {
    sim::Firmware firmware;
    if (has_own) firmware.configuration().set(table_guid::device_tree, firmware_own.at());
    const std::string before = has_own ? "firmware,board" : "none";
    run_in(firmware, [&](Image&) {
      EXPECT_EQ(shown(firmware), before);
      auto one = PreparedDeviceTree::prepare(first.bytes());
      auto two = PreparedDeviceTree::prepare(second.bytes());
      ASSERT_TRUE(one.has_value() && two.has_value());
      EXPECT_EQ(shown(firmware), before) << "preparing shows nobody anything";
      {
        DeviceTreeTable table;
        ASSERT_TRUE(table.install(std::move(*one)).has_value());
        EXPECT_EQ(shown(firmware), "first");
        const void* const at = firmware.configuration().find(table_guid::device_tree);
        EXPECT_EQ(firmware.memory().kind_of(at), EfiACPIReclaimMemory);
        EXPECT_EQ(tail(0), first.text);
        ASSERT_TRUE(table.install(std::move(*two)).has_value());
        EXPECT_EQ(shown(firmware), "second") << "the last one counts";
      }
      EXPECT_EQ(shown(firmware), before) << "what was there first is there again";
    });
  }
}

TEST(DeviceTreeTable, AnErrorLeavesWhatWasThere) {
  Tree first("first"), second("second"), firmware_own("firmware,board");
  sim::Firmware firmware;
  firmware.configuration().set(table_guid::device_tree, firmware_own.at());
  run_in(firmware, [&](Image&) {
    auto one = PreparedDeviceTree::prepare(first.bytes());
    auto two = PreparedDeviceTree::prepare(second.bytes());
    auto three = PreparedDeviceTree::prepare(second.bytes());
    ASSERT_TRUE(one.has_value() && two.has_value() && three.has_value());
    DeviceTreeTable table;
    firmware.calls().fail_every("InstallConfigurationTable", status::out_of_resources);
    EXPECT_EQ(code_of(table.install(std::move(*one))), "out of memory");
    EXPECT_EQ(shown(firmware), "firmware,board");
    firmware.calls().fail_none();
    ASSERT_TRUE(table.install(std::move(*two)).has_value());
    firmware.calls().fail_every("InstallConfigurationTable", status::out_of_resources);
    EXPECT_FALSE(table.install(std::move(*three)).has_value());
    EXPECT_EQ(shown(firmware), "second");
  });
}

TEST(DeviceTreeTable, PutBackByTheUndoListToo) {
  Tree tree("first"), firmware_own("firmware,board");
  sim::Firmware firmware;
  firmware.configuration().set(table_guid::device_tree, firmware_own.at());
  run_in(firmware, [&](Image&) {
    auto prepared = PreparedDeviceTree::prepare(tree.bytes());
    ASSERT_TRUE(prepared.has_value());
    DeviceTreeTable table;
    ASSERT_TRUE(table.install(std::move(*prepared)).has_value());
    running_undo_list().run_all();
    EXPECT_EQ(shown(firmware), "firmware,board");
  });
}

TEST(DeviceTreeTable, ATreeThatCannotBeTakenAwayStaysWhole) {
  Tree tree("first");
  sim::Firmware firmware;
  const sim::Run run = firmware.run([&](Image&) -> Result<> {
    auto prepared = TRY(PreparedDeviceTree::prepare(tree.bytes()));
    {
      DeviceTreeTable table;
      TRY(table.install(std::move(prepared)));
      firmware.configuration().watch();  // from here on taking it away is a change that can fail
      firmware.calls().fail_every("InstallConfigurationTable", status::device_error);
    }
    EXPECT_EQ(shown(firmware), "first");
    return {};
  });
  ASSERT_EQ(run.problems.size(), 1u) << "the pages, and nothing else";
  EXPECT_NE(run.problems[0].find("not freed"), std::string::npos) << run.problems[0];
}

TEST(DeviceTreeTable, FixUps) {
  struct Row {
    std::string added;
    int refusals;
    std::uint64_t asks_for;
    Status failure;
    std::string_view error;
    std::size_t calls;
    std::string_view reason;
  };
  const std::string large(3 * page_size, 'x');
  const Row rows[] = {
      {"fixed", 0, 0, 0, "", 1, "there is room in the last page"},
      {large, 0, 0, 0, "", 2, "grown once"},
      {"fixed", 1, 40000, 0, "", 2, "as much as it asks for"},
      {"fixed", 1, 1, 0, "", 2, "asks for less than the tree has"},
      {large, 2, 0, 0, "firmware error", 2, "I-DTB 12: asks again: not a third time"},
      {"fixed", 1, 32_MiB + 1, 0, "unsupported", 1, "I-DTB 12: more than any tree has"},
      {"fixed", 1, ~std::uint64_t{0}, 0, "unsupported", 1, "I-DTB 12: more than any tree has"},
      {"fixed", 0, 0, status::invalid_parameter, "firmware error", 1, "does not like the tree"},
  };
  for (const Row& row : rows) {
    Tree tree("acme,mk2");
    sim::Firmware firmware;
    firmware.device_tree_fixup().enable(row.added);
    firmware.device_tree_fixup().refuse_sizes(row.refusals);
    firmware.device_tree_fixup().ask_for(row.asks_for);
    firmware.device_tree_fixup().fail_with(row.failure);
    run_in(firmware, [&](Image&) {
      auto prepared = PreparedDeviceTree::prepare(tree.bytes());
      EXPECT_EQ(code_of(prepared), row.error) << row.reason;
      EXPECT_EQ(calls_of(firmware, "DeviceTreeFixup"), row.calls) << row.reason;
      if (!prepared.has_value()) return;
      DeviceTreeTable table;
      ASSERT_TRUE(table.install(std::move(*prepared)).has_value());
      EXPECT_EQ(shown(firmware), "acme,mk2") << row.reason;
      EXPECT_EQ(tail(tree.text.size()), row.added) << row.reason;
    });
    EXPECT_EQ(text_of(tree.bytes()), tree.text) << "the source stays as it was measured";
  }
}

TEST(DeviceTreeTable, WhatIsNoTree) {
  sim::Firmware firmware;
  firmware.device_tree_fixup().enable("x");
  Tree tree("board");
  run_in(firmware, [&](Image&) {
    EXPECT_EQ(code_of(PreparedDeviceTree::prepare(tree.bytes().first(39))), "truncated");
    EXPECT_EQ(code_of(PreparedDeviceTree::prepare(tree.bytes().first(tree.text.size() - 1))),
              "truncated");
    EXPECT_EQ(code_of(PreparedDeviceTree::prepare(tree.bytes().subspan(4))), "malformed");
    EXPECT_EQ(calls_of(firmware, "DeviceTreeFixup"), 0u) << "the firmware sees none of them";
  });
  tree.words[0] = 0;
  firmware.configuration().set(table_guid::device_tree, tree.at());
  run_in(firmware, [&](Image&) { EXPECT_EQ(shown(firmware), "bad"); });
}

TEST(DeviceTreeTable, EveryCallMayFail) {
  Tree tree("first"), firmware_own("firmware,board");
  std::uint64_t calls = 1;
  for (std::uint64_t failed = 0; failed <= calls; ++failed) {
    sim::Firmware firmware;
    firmware.device_tree_fixup().enable(std::string(2 * page_size, 'x'));
    firmware.configuration().set(table_guid::device_tree, firmware_own.at());
    if (failed != 0) firmware.calls().fail_call(failed);
    const sim::Run run = run_in(firmware, [&](Image&) {
      auto prepared = PreparedDeviceTree::prepare(tree.bytes());
      if (!prepared.has_value()) return;
      DeviceTreeTable table;
      const bool installed = table.install(std::move(*prepared)).has_value();
      EXPECT_EQ(shown(firmware), installed ? "first" : "firmware,board") << failed;
    });
    if (failed == 0) calls = run.calls;
  }
  EXPECT_GT(calls, 4u);
}

}  // namespace
}  // namespace keelson::efi
