// SPDX-License-Identifier: MIT
//
// Owns the variable store (UEFI 2.10, 8.2): attributes and their rules, volatile and non-volatile
// variables, a quota, variables that refuse writes. The four services have no `self`; the runtime
// services table leads here.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "efi/firmware/uefi.h"
#include "efi/format/loader_interface.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

class Variables {
 public:
  using Name = loader_interface::Name;
  using Status = efi::Status;
  struct Value {
    std::vector<std::byte> data;
    std::uint32_t attributes = 0;
    friend bool operator==(const Value&, const Value&) = default;
  };
  struct Id {
    Guid vendor;
    std::u16string name;
    friend auto operator<=>(const Id&, const Id&) = default;
  };

  explicit Variables(Calls& calls, std::uint64_t seed = 1) : calls_(calls), seed_(seed) {}

  // ---- The services ----
  Status get_variable(const char16_t* name, const EFI_GUID* vendor, UINT32* attributes, UINTN* size,
                      void* data);
  Status set_variable(const char16_t* name, const EFI_GUID* vendor, UINT32 attributes, UINTN size,
                      const void* data);
  Status get_next_variable_name(UINTN* size, char16_t* name, EFI_GUID* vendor);
  Status query_variable_info(UINT32 attributes, UINT64* storage, UINT64* remaining,
                             UINT64* largest);

  // ---- Content, past all rules ----
  void set(const Name& name, Bytes data) { set(name, data, name.attributes); }
  void set(const Name& name, Bytes data, std::uint32_t attributes);
  // A UTF-16 text with its NUL.
  void set_text(const Name& name, std::u16string_view text);
  void remove(const Name& name) { values_.erase(id_of(name)); }
  std::optional<Value> get(const Name& name) const;
  bool exists(const Name& name) const { return get(name).has_value(); }
  // The text up to its NUL; nullopt if there is no such variable.
  std::optional<std::u16string> text(const Name& name) const;
  std::optional<std::string> utf8(const Name& name) const;
  const std::map<Id, Value>& all() const { return values_; }
  // Volatile ones vanish.
  void power_cycle();

  // ---- Behaviour ----
  void refuse_writes(const Name& name) { refused_.push_back(id_of(name)); }
  void refuse_no_writes() { refused_.clear(); }
  // For names and data of all non-volatile variables.
  void set_quota(std::uint64_t size) { quota_ = size; }
  // Old firmware says nothing of attributes where the buffer is too small, newer firmware does.
  void set_tells_attributes_when_too_small(bool tells) { tells_attributes_ = tells; }
  // Runs before each GetVariable, to change things between two calls.
  void before_get(std::function<void(Variables&)> action) { before_get_ = std::move(action); }

  // Writes that succeeded, in order: "set LoaderInfo", "delete LoaderEntryOneShot".
  const std::vector<std::u16string>& writes() const { return writes_; }
  void forget_writes() { writes_.clear(); }

 private:
  static Id id_of(const Name& name) { return {name.vendor, std::u16string(name.text)}; }
  std::vector<Id> order() const;
  std::uint64_t used() const;

  Calls& calls_;
  std::uint64_t seed_;
  std::map<Id, Value> values_;
  std::vector<Id> refused_;
  std::vector<std::u16string> writes_;
  std::function<void(Variables&)> before_get_;
  std::uint64_t quota_ = 64_KiB;
  bool tells_attributes_ = true;
};

}  // namespace keelson::sim
