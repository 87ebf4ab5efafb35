// SPDX-License-Identifier: MIT
//
// The list of configuration tables (configuration.h). It moves whenever it changes, as firmware
// allocates it anew.
#include "host-tests/sim/configuration.h"

#include "host-tests/sim/handles.h"

namespace keelson::sim {

Configuration::Configuration(Calls& calls, EFI_SYSTEM_TABLE& table) : calls_(calls), table_(table) {
  publish();
}

efi::Status Configuration::install(const Guid& guid, void* table) {
  // What needs no memory, because it was there at the start, can always be put back.
  const auto before = watched_.find(guid);
  if (table == (before == watched_.end() ? nullptr : before->second)) {
    calls_.note("InstallConfigurationTable");
  } else if (const auto failure = calls_.enter("InstallConfigurationTable", guid_text(guid))) {
    return *failure;
  }
  if (table == nullptr) {
    if (now_.erase(guid) == 0) return efi::status::not_found;
  } else {
    now_[guid] = table;
  }
  publish();
  return efi::status::success;
}

void Configuration::set(const Guid& guid, void* table) {
  own_[guid] = now_[guid] = table;
  publish();
}

void Configuration::remove(const Guid& guid) {
  own_.erase(guid);
  now_.erase(guid);
  publish();
}

void* Configuration::find(const Guid& guid) const {
  const auto found = now_.find(guid);
  return found == now_.end() ? nullptr : found->second;
}

void Configuration::power_cycle() {
  now_ = own_;
  publish();
}

std::vector<std::string> Configuration::changes() const {
  std::vector<std::string> changes;
  for (const auto& [guid, table] : now_) {
    const auto before = watched_.find(guid);
    if (before == watched_.end())
      changes.push_back("table " + guid_text(guid) + " was added");
    else if (before->second != table)
      changes.push_back("table " + guid_text(guid) + " was changed");
  }
  for (const auto& [guid, table] : watched_)
    if (!now_.contains(guid)) changes.push_back("table " + guid_text(guid) + " was removed");
  return changes;
}

void Configuration::publish() {
  std::vector<EFI_CONFIGURATION_TABLE> list;
  for (const auto& [guid, table] : now_) {
    EFI_CONFIGURATION_TABLE entry{};
    __builtin_memcpy(&entry.VendorGuid, &guid, sizeof(guid));
    entry.VendorTable = table;
    list.push_back(entry);
  }
  list_ = std::move(list);
  table_.ConfigurationTable = list_.data();
  table_.NumberOfTableEntries = list_.size();
}

}  // namespace keelson::sim
