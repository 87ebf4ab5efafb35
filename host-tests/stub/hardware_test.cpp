// SPDX-License-Identifier: MIT
//
// What the stub finds out about the machine (stub/hardware.h).
#include "stub/hardware.h"

#include "efi/firmware/smbios_table.h"
#include "host-tests/firmware/in_firmware.h"
#include "host-tests/format/sample_device_tree.h"
#include "host-tests/format/sample_smbios.h"

namespace keelson::stub {
namespace {

using namespace std::literals;

// What the machine says, as one text: "manufacturer/product/panel, board".
std::string observed(sim::Firmware& firmware) {
  std::string text;
  efi::run_in(firmware, [&](efi::Image&) {
    const auto structures = efi::smbios_structures();
    const Hardware hardware =
        observe_hardware(structures.has_value() ? smbios::Table(*structures) : smbios::Table());
    const hardware_ids::Machine& machine = hardware.machine;
    text = std::string(machine.manufacturer) + "/" + std::string(machine.product) + "/";
    if (machine.panel) text += std::string_view(*machine.panel);
    if (hardware.has_device_tree) text += ", " + std::string(hardware.board);
  });
  return text;
}

TEST(Hardware, WhatTheFirmwareTells) {
  sim::Firmware firmware;
  EXPECT_EQ(observed(firmware), "//") << "nothing";
  firmware.hardware().set_smbios_3(
      sample::smbios_system({.manufacturer = " Acme", .product = "0Mk2 "}));
  EXPECT_EQ(observed(firmware), "Acme/Mk2/");
  std::string edid = "\x00\xff\xff\xff\xff\xff\xff\x00\x04\x6d\xab\x12"s;
  edid.resize(128);
  firmware.hardware().add_panel(edid);
  EXPECT_EQ(observed(firmware), "Acme/Mk2/ACM12ab");
}

TEST(Hardware, TheFirmwaresDeviceTree) {
  struct Row {
    std::string tree;
    std::string_view observed;
    std::string_view reason;
  };
  const Row rows[] = {
      {sample::device_tree_of("acme,mk2\0acme,mk\0"s), "//, acme,mk2", "its board"},
      {sample::DeviceTree().begin().end().token(9).bytes(), "//, ", "a tree that names none"},
      {std::string(64, '\0'), "//, ", "no tree, but the firmware has something there"},
  };
  for (const Row& row : rows) {
    std::vector<std::uint32_t> words(row.tree.size() / sizeof(std::uint32_t) + 1);
    __builtin_memcpy(words.data(), row.tree.data(), row.tree.size());
    sim::Firmware firmware;
    firmware.configuration().set(efi::table_guid::device_tree, words.data());
    EXPECT_EQ(observed(firmware), row.observed) << row.reason;
  }
}

}  // namespace
}  // namespace keelson::stub
