// SPDX-License-Identifier: MIT
//
// Which candidates of a UKI belong to a machine (stub/candidates.h): the rules of stub.md 1.4.
#include "stub/candidates.h"

#include <gtest/gtest.h>

#include "host-tests/format/sample_candidates.h"
#include "host-tests/recorded_diagnostics.h"

namespace keelson::stub {
namespace {

using namespace std::literals;
using hardware_ids::DeviceKind;
using sample::Section;

const hardware_ids::Machine rocket = {.manufacturer = "Acme",
                                      .family = "Rocket",
                                      .product = "Mk2",
                                      .sku = "42",
                                      .board_manufacturer = "Acme",
                                      .board_product = "Board7",
                                      .panel = std::nullopt};
const Hardware by_ids{.machine = rocket};
const Hardware by_board{.machine = rocket, .has_device_tree = true, .board = "acme,mk2"};
const Hardware nameless{.machine = rocket, .has_device_tree = true, .board = {}};

using sample::dtbauto, sample::efifw;
// One record that binds this machine (its id of type 9) to `id`.
Section hwids(const std::string& id, DeviceKind kind = DeviceKind::device_tree,
              std::size_t type = 9) {
  return sample::hwids(rocket, {{kind, id}}, type);
}

struct Selected {
  std::optional<std::uint32_t> tree, firmware;
  std::size_t warnings = 0;
  friend bool operator==(const Selected&, const Selected&) = default;
};
void PrintTo(const Selected& selected, std::ostream* out) {
  *out << "tree " << (selected.tree ? static_cast<int>(*selected.tree) : -1) << ", firmware "
       << (selected.firmware ? static_cast<int>(*selected.firmware) : -1) << ", "
       << selected.warnings << " warnings";
}

// Sections by their index: 0 is `.linux`, then `sections`.
Selected select(std::vector<Section> sections, const Hardware& hardware,
                std::optional<std::uint64_t> profile = std::nullopt) {
  sections.insert(sections.begin(), Section{".linux", "kernel"});
  sample::Pe pe;
  pe.sections = std::move(sections);
  const sample::Buffer memory = sample::load(sample::make(pe));
  // As firmware loads it: aligned.
  const auto uki = uki::Uki::parse(memory, pe::Layout::loaded);
  if (!uki.has_value()) {
    ADD_FAILURE() << uki.error().what;
    return {};
  }
  EXPECT_TRUE(has_candidates(*uki));
  const auto range = uki->profile(profile.value_or(0));
  uki::Effective effective = uki->effective(*range);
  RecordedDiagnostics diagnostics;
  select_candidates(*uki, uki->base(), *range, hardware, diagnostics, effective);
  return {effective.index(UkiSection::dtbauto), effective.index(UkiSection::efifw),
          diagnostics.count(Severity::warning)};
}

constexpr auto none = std::nullopt;

TEST(Candidates, DeviceTreesByTheFirmwaresBoard) {
  struct Row {
    std::vector<Section> sections;
    const Hardware& hardware;
    Selected selected;
    std::string_view reason;
  };
  const Section bad = {".dtbauto", "no tree at all, but long enough for a header"};
  const Row rows[] = {
      {{dtbauto("acme,mk1"), dtbauto("acme,mk2")}, by_board, {2, none}, "the one for the board"},
      {{dtbauto("acme,mk2"), dtbauto("acme,mk2")}, by_board, {1, none}, "the first that matches"},
      {{dtbauto("other\0acme,mk2"s)}, by_board, {none, none}, "the first string counts alone"},
      {{dtbauto("acme,mk2\0other"s)}, by_board, {1, none}, "the first string counts alone"},
      {{dtbauto("acme,mk2x")}, by_board, {none, none}, "the whole string"},
      {{bad, dtbauto("acme,mk2")}, by_board, {2, none, 1}, "a bad one is passed over"},
      {{dtbauto("acme,mk3"), hwids("acme,mk3")},
       by_board,
       {none, none},
       "with a tree of the firmware .hwids is not asked"},
      {{dtbauto("acme,mk2"), hwids("acme,mk2")},
       nameless,
       {none, none},
       "a tree of the firmware without a board selects nothing"},
      {{dtbauto("acme,mk2"), {".dtb", "tree"}}, by_board, {1, none}, "beside a .dtb"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(select(row.sections, row.hardware), row.selected) << row.reason;
}

TEST(Candidates, DeviceTreesByHardwareIds) {
  struct Row {
    std::vector<Section> sections;
    Selected selected;
    std::string_view reason;
  };
  const Section cut = {".hwids", hwids("acme,mk2").content.substr(0, 60)};
  const Row rows[] = {
      {{dtbauto("acme,mk1"), dtbauto("acme,mk2"), hwids("acme,mk2")}, {2, none}, "by its board"},
      {{hwids("acme,mk2"), dtbauto("acme,mk2")}, {2, none}, "whatever the order in the file"},
      {{dtbauto("acme,mk2")}, {none, none}, "no .hwids"},
      {{dtbauto("acme,mk2"), hwids("acme,mk3")}, {none, none}, "no tree for it"},
      {{dtbauto("acme,mk2"), hwids("")}, {none, none}, "no text"},
      {{dtbauto("acme,mk2"), hwids("acme,mk2", DeviceKind::uefi_firmware)},
       {none, none},
       "a record of another kind"},
      {{dtbauto("acme,mk2"), hwids("acme,mk2", DeviceKind::device_tree, 17)},
       {none, none},
       "an id that this machine does not have (zero)"},
      {{dtbauto("acme,mk2"), cut}, {none, none, 1}, "a .hwids that is cut off"},
      {{dtbauto("acme,mk2"), hwids("acme,mk1"), hwids("acme,mk2")},
       {none, none},
       "the first .hwids counts"},
  };
  for (const Row& row : rows) EXPECT_EQ(select(row.sections, by_ids), row.selected) << row.reason;
}

TEST(Candidates, FirmwareImages) {
  constexpr auto firmware = DeviceKind::uefi_firmware;
  struct Row {
    std::vector<Section> sections;
    const Hardware& hardware;
    Selected selected;
    std::string_view reason;
  };
  const Section bad = {".efifw", "\xad\xde\xed\xfe\x0d\0\0\0\x04\0\0\0\0"s};
  const Row rows[] = {
      {{efifw("one"), efifw("two"), hwids("two", firmware)}, by_ids, {none, 2}, "by its id"},
      {{efifw("one"), hwids("one", firmware)},
       by_board,
       {none, 1},
       "a device tree of the firmware says nothing about it"},
      {{efifw("one"), hwids("one")}, by_ids, {none, none}, "a record of another kind"},
      {{bad, efifw("one"), hwids("one", firmware)},
       by_ids,
       {none, 2, 1},
       "what ukify 261 writes is passed over"},
      {{efifw("one")}, by_ids, {none, none}, "no .hwids"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(select(row.sections, row.hardware), row.selected) << row.reason;
}

TEST(Candidates, OfProfilesAndTheBase) {
  const Section zero = {".profile", "ID=zero"}, one = {".profile", "ID=one"};
  struct Row {
    std::vector<Section> sections;
    std::uint64_t profile;
    const Hardware& hardware;
    Selected selected;
    std::string_view reason;
  };
  const Row rows[] = {
      {{dtbauto("acme,mk2"), zero, one}, 1, by_board, {1, none}, "the base's, in every profile"},
      {{dtbauto("acme,mk2"), zero, dtbauto("acme,mk2"), one},
       0,
       by_board,
       {3, none},
       "the profile's comes first"},
      {{dtbauto("acme,mk2"), zero, dtbauto("acme,mk2"), one},
       1,
       by_board,
       {1, none},
       "not that of another profile"},
      {{dtbauto("acme,mk2"), zero, dtbauto("acme,mk1")},
       0,
       by_board,
       {1, none},
       "the profile has none for it: the base's"},
      {{dtbauto("acme,mk2"), hwids("acme,mk2"), zero}, 0, by_ids, {1, none}, "the base by its own"},
      {{dtbauto("acme,mk2"), zero, hwids("acme,mk2")},
       0,
       by_ids,
       {none, none},
       ".hwids of a profile is not for the base"},
      {{hwids("acme,mk2"), zero, dtbauto("acme,mk2")},
       0,
       by_ids,
       {none, none},
       ".hwids of the base is not for a profile"},
      {{dtbauto("acme,mk2"), zero, {".dtb", "tree"}},
       0,
       by_board,
       {1, none},
       "the base's candidate counts instead of the profile's .dtb"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(select(row.sections, row.hardware, row.profile), row.selected) << row.reason;
}

TEST(Candidates, MostImagesHaveNone) {
  sample::Pe pe;
  pe.sections = {{".linux", "kernel"}, {".dtb", "tree"}, hwids("x")};
  Section empty = {".dtbauto", ""};
  pe.sections.push_back(empty);
  const sample::Buffer memory = sample::load(sample::make(pe));
  const auto uki = uki::Uki::parse(memory, pe::Layout::loaded);
  ASSERT_TRUE(uki.has_value());
  EXPECT_FALSE(has_candidates(*uki));
}

}  // namespace
}  // namespace keelson::stub
