// SPDX-License-Identifier: MIT
//
// Owns the handle database: which protocols are on which handle, who holds them open. It obeys the
// specification and punishes: a close on the wrong handle is refused and noted, what stays open is
// listed, the order of handles (left open by the specification) changes with a seed. Calls are
// counted and failed by the tables that use it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "efi/firmware/handle.h"

namespace keelson::sim {

using efi::Handle;
using efi::Status;

std::string guid_text(const Guid& guid);

class Handles {
 public:
  Handles() = default;
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles();

  // `at` null makes a handle. Installing twice on one handle gives invalid_parameter.
  Status install(Handle* at, const Guid& protocol, void* interface);
  // For the firmware's own devices, where it cannot fail.
  Handle add(Handle at, const Guid& protocol, void* interface);
  // A handle without protocols ceases to exist. access_denied while somebody holds it open.
  Status uninstall(Handle at, const Guid& protocol, void* interface);

  bool exists(Handle handle) const { return handles_.contains(handle); }
  bool has(Handle handle, const Guid& protocol) const;
  // nullptr also for a protocol that is installed without interface.
  void* find(Handle handle, const Guid& protocol) const;
  // In an order that depends on the seed.
  std::vector<Handle> with_protocol(const Guid& protocol) const;
  // The handle with `protocol` whose device path is the longest beginning of `*path`, which is
  // moved behind it. not_found if there is none.
  Status locate_path(const Guid& protocol, const void** path, Handle* found) const;
  void permute(std::uint64_t seed) { seed_ = seed; }

  Status open(Handle at, const Guid& protocol, Handle agent, void** interface);
  Status close(Handle at, const Guid& protocol, Handle agent);

  // Whatever was done wrong.
  const std::vector<std::string>& problems() const { return problems_; }
  // "GUID on HANDLE", for each open that was not closed.
  std::vector<std::string> still_open() const;
  std::size_t protocol_count() const;  // over all handles: the same after a run as before

 private:
  struct Installed {
    void* interface = nullptr;
    std::map<Handle, int> agents;  // how often each holds it open
  };
  struct Entry {
    std::uint64_t serial = 0;
    std::map<Guid, Installed> protocols;
  };
  Installed* find_installed(Handle handle, const Guid& protocol);
  const Installed* find_installed(Handle handle, const Guid& protocol) const;

  std::map<Handle, Entry> handles_;
  std::vector<char*> retired_;  // handles that ended: their addresses are not used again
  std::vector<std::string> problems_;
  std::uint64_t next_serial_ = 1;
  std::uint64_t seed_ = 0;
};

}  // namespace keelson::sim
