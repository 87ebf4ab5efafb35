// SPDX-License-Identifier: MIT
//
// Which consoles the machine has (efi/firmware/console_devices.h).
#include "efi/firmware/console_devices.h"

#include "efi/base/wire.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

using namespace std::literals;

const std::string end = "\x7f\xff\x04\x00"s;
const std::string root = "\x02\x01\x0c\x00\xd0\x41\x03\x0a\x00\x00\x00\x00"s;  // PciRoot(0)
const std::string screen = root + "\x01\x01\x06\x00\x00\x02"s + end;           // Pci(2,0)

// A path to the serial port `uid`, as firmware has it: root, bridge, port, line settings.
std::string serial(std::uint32_t uid) {
  const Le<std::uint32_t> wire(uid);
  return root + "\x01\x01\x06\x00\x00\x1f"s + "\x02\x01\x0c\x00\xd0\x41\x01\x05"s +
         std::string(text_of(bytes_of_struct(wire))) + "\x03\x0e\x13\x00"s + std::string(15, 'u') +
         end;
}

ConsoleFacts consoles_in(sim::Firmware& firmware) {
  ConsoleFacts facts;
  run_in(firmware, [&](Image&) { facts = find_consoles(); });
  return facts;
}

TEST(ConsoleDevices, SerialPorts) {
  struct Row {
    std::string console;  // where the console leads; empty: no path
    std::vector<std::string> outputs;
    std::optional<std::uint32_t> port;
    std::string_view reason;
  };
  const std::string broken = "\x02\x01\x03\x00"s;
  const Row rows[] = {
      {"", {}, std::nullopt, "no way is known"},
      {serial(0), {}, 0, "the console is the port"},
      {serial(3), {serial(0)}, 3, "the console says it, others are not asked"},
      {serial(17), {}, 17, "any number; what it means is decided elsewhere"},
      {screen, {serial(0)}, std::nullopt, "the console is a screen, others are not asked"},
      {"", {serial(1)}, 1, "a console of several devices, one of them the port"},
      {"", {screen, serial(1), ""}, 1, "beside a screen and one that has no path"},
      {"", {serial(1), serial(1)}, 1, "twice the same port"},
      {"", {serial(0), serial(1)}, std::nullopt, "two ports: which one?"},
      {"", {serial(0), serial(7)}, std::nullopt, "also if one is unknown"},
      {"", {broken, serial(2)}, 2, "a broken path is passed over"},
      {broken, {serial(2)}, std::nullopt, "a broken path of the console is one"},
      {"", {screen}, std::nullopt, "only a screen"},
  };
  for (const Row& row : rows) {
    sim::Firmware firmware;
    firmware.hardware().set_console_path(row.console);
    for (const std::string& path : row.outputs) firmware.hardware().add_text_output(path);
    EXPECT_EQ(consoles_in(firmware).pc_serial_port, row.port) << row.reason;
    firmware.clock().has_pc_serial_ports = false;
    EXPECT_EQ(consoles_in(firmware).pc_serial_port, std::nullopt) << "not a PC: " << row.reason;
  }
}

TEST(ConsoleDevices, VirtioConsoles) {
  struct Row {
    std::vector<std::pair<std::uint16_t, std::uint16_t>> devices;
    std::uint32_t count;
    std::string_view reason;
  };
  const Row rows[] = {
      {{}, 0, "no PCI devices"},
      {{{0x8086, 0x29c0}, {0x1af4, 0x1001}, {0x1af4, 0x1044}}, 0, "others, also of virtio"},
      {{{0x8086, 0x1003}, {0x10de, 0x1043}}, 0, "of another vendor"},
      {{{0x8086, 0x29c0}, {0x1af4, 0x1003}}, 1, "transitional"},
      {{{0x1af4, 0x1043}, {0x8086, 0x29c0}}, 1, "modern"},
      {{{0x1af4, 0x1003}, {0x1af4, 0x1043}}, 2, "one of each"},
      {{{0x1af4, 0x1003}, {0x1af4, 0x1003}, {0x1af4, 0x1003}}, 3, "three"},
  };
  for (const Row& row : rows) {
    sim::Firmware firmware;
    for (const auto& [vendor, device] : row.devices)
      firmware.hardware().add_pci_device(vendor, device);
    EXPECT_EQ(consoles_in(firmware).virtio_consoles, row.count) << row.reason;
  }
}

TEST(ConsoleDevices, Graphics) {
  sim::Firmware without, with({.graphics = true});
  EXPECT_FALSE(consoles_in(without).graphics);
  EXPECT_TRUE(consoles_in(with).graphics);
}

TEST(ConsoleDevices, WhatCannotBeAskedIsNotThere) {
  for (const std::string_view call :
       {"HandleProtocol", "LocateHandleBuffer", "LocateProtocol", "PciIo.Read"}) {
    sim::Firmware firmware({.graphics = true});
    firmware.hardware().add_text_output(serial(0));
    firmware.hardware().add_pci_device(0x1af4, 0x1003);
    EXPECT_EQ(consoles_in(firmware), (ConsoleFacts{0, 1, true}));
    firmware.calls().fail_every(call, status::device_error);
    const ConsoleFacts facts = consoles_in(firmware);
    EXPECT_NE(facts, (ConsoleFacts{0, 1, true})) << call;
  }
}

}  // namespace
}  // namespace keelson::efi
