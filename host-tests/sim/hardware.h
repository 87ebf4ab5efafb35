// SPDX-License-Identifier: MIT
//
// Owns what the simulated machine is: SMBIOS tables, a built-in screen's EDID, PCI devices, and
// the ways its text outputs go. It has none of these until a test gives it some, and keeps them
// over power-on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"
#include "host-tests/sim/configuration.h"
#include "host-tests/sim/handles.h"

namespace keelson::sim {

class Hardware {
 public:
  Hardware(Calls& calls, Configuration& configuration);
  Hardware(const Hardware&) = delete;
  Hardware& operator=(const Hardware&) = delete;
  ~Hardware();

  // The structures, behind an entry point of that version that is right.
  void set_smbios_3(std::string_view structures);
  void set_smbios_2(std::string_view structures);
  // The bytes of an entry point, to spoil.
  char* entry_point_3() { return version_3_.entry_point.data(); }
  char* entry_point_2() { return version_2_.entry_point.data(); }

  // A screen; several are found in an order that depends on the seed.
  void add_panel(std::string_view edid);
  void add_pci_device(std::uint16_t vendor, std::uint16_t device);
  // A text output at the end of `device_path`.
  void add_text_output(std::string_view device_path);
  // Where the console itself leads; without one it stands for several devices.
  void set_console_path(std::string_view device_path) { console_path_ = device_path; }

  // For the firmware, at power-on.
  void install(Handles& handles, Handle console);

 private:
  struct Table {  // below 4 GiB, where an entry point of version 2 can lead
    std::string entry_point;
    char* structures = nullptr;
    std::size_t size = 0;
  };
  struct Panel;
  struct PciDevice;
  static void keep(std::string_view structures, Table& table);
  static void release(Table& table);

  Calls& calls_;
  Configuration& configuration_;
  Table version_2_, version_3_;
  std::vector<std::unique_ptr<Panel>> panels_;
  std::vector<std::unique_ptr<PciDevice>> pci_devices_;
  std::vector<std::unique_ptr<std::string>> text_outputs_;  // their paths
  std::string console_path_;
};

}  // namespace keelson::sim
