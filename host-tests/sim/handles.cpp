// SPDX-License-Identifier: MIT
//
// The handle database (handles.h).
#include "host-tests/sim/handles.h"

#include <algorithm>

#include "efi/format/device_path.h"

namespace keelson::sim {
namespace {

constexpr std::uint64_t mixed(std::uint64_t value) {  // finalizer of MurmurHash3
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
  return value ^ (value >> 33);
}

}  // namespace

std::string guid_text(const Guid& guid) {
  const auto text = to_text(guid);
  return std::string(text.begin(), text.end());
}

Handles::~Handles() {
  for (const auto& [handle, entry] : handles_) delete static_cast<char*>(handle);
  for (char* const handle : retired_) delete handle;
}

Handles::Installed* Handles::find_installed(Handle handle, const Guid& protocol) {
  const auto entry = handles_.find(handle);
  if (entry == handles_.end()) return nullptr;
  const auto installed = entry->second.protocols.find(protocol);
  return installed == entry->second.protocols.end() ? nullptr : &installed->second;
}
const Handles::Installed* Handles::find_installed(Handle handle, const Guid& protocol) const {
  return const_cast<Handles*>(this)->find_installed(handle, protocol);
}

Status Handles::install(Handle* at, const Guid& protocol, void* interface) {
  if (*at != nullptr && !exists(*at)) {
    problems_.push_back("InstallProtocolInterface on a handle that does not exist");
    return efi::status::invalid_parameter;
  }
  if (has(*at, protocol)) return efi::status::invalid_parameter;
  if (*at == nullptr) {
    *at = new char;
    handles_[*at].serial = next_serial_++;
  }
  handles_[*at].protocols[protocol].interface = interface;
  return efi::status::success;
}

Handle Handles::add(Handle at, const Guid& protocol, void* interface) {
  if (efi::failed(install(&at, protocol, interface)))
    problems_.push_back("the firmware itself cannot install " + guid_text(protocol));
  return at;
}

Status Handles::uninstall(Handle at, const Guid& protocol, void* interface) {
  if (!exists(at)) {
    problems_.push_back("UninstallProtocolInterface on a handle that does not exist");
    return efi::status::invalid_parameter;
  }
  Installed* const installed = find_installed(at, protocol);
  if (installed == nullptr || installed->interface != interface) return efi::status::not_found;
  // Holders with GET_PROTOCOL do not keep it from going (UEFI 2.10, 7.3.4), but what they hold is
  // then gone: a bug of theirs, which their close will show.
  auto& protocols = handles_.at(at).protocols;
  protocols.erase(protocol);
  if (protocols.empty()) {
    handles_.erase(at);
    retired_.push_back(static_cast<char*>(at));
  }
  return efi::status::success;
}

bool Handles::has(Handle handle, const Guid& protocol) const {
  return find_installed(handle, protocol) != nullptr;
}

void* Handles::find(Handle handle, const Guid& protocol) const {
  const Installed* const installed = find_installed(handle, protocol);
  return installed == nullptr ? nullptr : installed->interface;
}

std::vector<Handle> Handles::with_protocol(const Guid& protocol) const {
  struct Found {
    std::uint64_t order;
    Handle handle;
  };
  std::vector<Found> found;
  for (const auto& [handle, entry] : handles_)
    if (entry.protocols.contains(protocol))
      found.push_back({seed_ == 0 ? entry.serial : mixed(entry.serial + seed_), handle});
  std::ranges::sort(found, {}, &Found::order);
  std::vector<Handle> handles;
  for (const Found& item : found) handles.push_back(item.handle);
  return handles;
}

Status Handles::locate_path(const Guid& protocol, const void** path, Handle* found) const {
  const auto wanted = efi::device_path_at(*path);
  if (!wanted.has_value()) return efi::status::invalid_parameter;
  std::size_t longest = 0;
  bool any = false;
  for (const Handle handle : with_protocol(protocol)) {
    const auto own = efi::device_path_at(find(handle, efi::protocol_guid::device_path));
    if (!own.has_value()) continue;
    const std::size_t size = own->size() - device_path::end_size;
    const auto begins = device_path::starts_with(*wanted, *own);
    if (!begins.has_value() || !*begins || (any && size <= longest)) continue;
    any = true;
    longest = size;
    *found = handle;
  }
  if (!any) return efi::status::not_found;
  *path = static_cast<const std::byte*>(*path) + longest;
  return efi::status::success;
}

Status Handles::open(Handle at, const Guid& protocol, Handle agent, void** interface) {
  if (!exists(at) || !exists(agent)) {
    problems_.push_back("OpenProtocol with a handle that does not exist");
    return efi::status::invalid_parameter;
  }
  Installed* const installed = find_installed(at, protocol);
  if (installed == nullptr) return efi::status::unsupported;
  ++installed->agents[agent];
  *interface = installed->interface;
  return efi::status::success;
}

Status Handles::close(Handle at, const Guid& protocol, Handle agent) {
  Installed* const installed = find_installed(at, protocol);
  if (installed == nullptr || !installed->agents.contains(agent)) {
    problems_.push_back("CloseProtocol of " + guid_text(protocol) +
                        " on a handle where it is not open for this agent");
    return efi::status::not_found;
  }
  if (--installed->agents.at(agent) == 0) installed->agents.erase(agent);
  return efi::status::success;
}

std::vector<std::string> Handles::still_open() const {
  std::vector<std::string> open;
  for (const auto& [handle, entry] : handles_)
    for (const auto& [protocol, installed] : entry.protocols)
      for (const auto& [agent, times] : installed.agents)
        open.push_back(guid_text(protocol) + " on handle " + std::to_string(entry.serial) + ", " +
                       std::to_string(times) + " times");
  return open;
}

std::size_t Handles::protocol_count() const {
  std::size_t count = 0;
  for (const auto& [handle, entry] : handles_) count += entry.protocols.size();
  return count;
}

}  // namespace keelson::sim
