// SPDX-License-Identifier: MIT
//
// Owns the configuration tables of the system table (UEFI 2.10, 4.6): those that the firmware has
// from the start, and what programs install, replace and take away (7.5.6). A program that gives
// control back must leave the list as it found it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

class Configuration {
 public:
  Configuration(Calls& calls, EFI_SYSTEM_TABLE& table);
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  // ---- The service ----
  efi::Status install(const Guid& guid, void* table);

  // ---- What the machine has. It is there again after every power-on, until it is removed. ----
  void set(const Guid& guid, void* table);
  void remove(const Guid& guid);

  void* find(const Guid& guid) const;
  void power_cycle();
  // From now on changes count as left behind.
  void watch() { watched_ = now_; }
  // "table GUID was added", and "changed" or "removed".
  std::vector<std::string> changes() const;

 private:
  void publish();

  Calls& calls_;
  EFI_SYSTEM_TABLE& table_;
  std::map<Guid, void*> own_;
  std::map<Guid, void*> now_;
  std::map<Guid, void*> watched_;
  std::vector<EFI_CONFIGURATION_TABLE> list_;
};

}  // namespace keelson::sim
