// SPDX-License-Identifier: MIT
//
// The variable services (variables.h).
#include "host-tests/sim/variables.h"

#include <algorithm>
#include <random>

#include "host-tests/utf16.h"

namespace keelson::sim {
namespace {

using efi::Status;
namespace status = efi::status;

constexpr std::uint32_t known_attributes = 0x7f;
constexpr std::uint32_t authenticated =
    EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS | EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS;
constexpr std::uint64_t largest_value = 32_KiB;

Guid guid_at(const EFI_GUID* guid) {
  Guid result;
  __builtin_memcpy(&result, guid, sizeof(result));
  return result;
}

// Below 3 a name cannot even hold one character and its NUL.
std::size_t bytes_of_name(const std::u16string& name) {
  return (name.size() + 1) * sizeof(char16_t);
}

}  // namespace

// ---- The services ----

Status Variables::get_variable(const char16_t* name, const EFI_GUID* vendor, UINT32* attributes,
                               UINTN* size, void* data) {
  if (name == nullptr || vendor == nullptr || size == nullptr || *name == 0)
    return status::invalid_parameter;
  if (const auto failure = calls_.enter("GetVariable", std::u16string_view(name))) return *failure;
  if (before_get_) before_get_(*this);
  const auto found = values_.find({guid_at(vendor), name});
  if (found == values_.end()) return status::not_found;
  const Value& value = found->second;
  const std::size_t room = *size;
  *size = value.data.size();
  const bool fits = room >= value.data.size();
  if (attributes != nullptr && (fits || tells_attributes_)) *attributes = value.attributes;
  if (!fits) return status::buffer_too_small;
  if (value.data.empty()) return status::success;
  if (data == nullptr) return status::invalid_parameter;
  __builtin_memcpy(data, value.data.data(), value.data.size());
  return status::success;
}

Status Variables::set_variable(const char16_t* name, const EFI_GUID* vendor, UINT32 attributes,
                               UINTN size, const void* data) {
  if (name == nullptr || vendor == nullptr || *name == 0) return status::invalid_parameter;
  const std::u16string text(name);
  if (const auto failure = calls_.enter("SetVariable", text)) return *failure;
  const bool is_runtime_only = (attributes & EFI_VARIABLE_RUNTIME_ACCESS) != 0 &&
                               (attributes & EFI_VARIABLE_BOOTSERVICE_ACCESS) == 0;
  if ((attributes & ~known_attributes) != 0 || is_runtime_only || (size != 0 && data == nullptr))
    return status::invalid_parameter;
  if ((attributes & authenticated) != 0) return status::security_violation;  // nobody signs here
  const Id id{guid_at(vendor), text};
  if (std::ranges::find(refused_, id) != refused_.end()) return status::write_protected;

  const bool appends = (attributes & EFI_VARIABLE_APPEND_WRITE) != 0;
  attributes &= ~std::uint32_t{EFI_VARIABLE_APPEND_WRITE};
  const auto old = values_.find(id);
  if ((attributes & EFI_VARIABLE_BOOTSERVICE_ACCESS) == 0 || (size == 0 && !appends)) {
    if (old == values_.end()) return status::not_found;
    values_.erase(old);
    writes_.push_back(u"delete " + text);
    return status::success;
  }
  if (old != values_.end() && old->second.attributes != attributes)
    return status::invalid_parameter;
  if (size > largest_value) return status::invalid_parameter;

  Value value{.data = {}, .attributes = attributes};
  if (appends && old != values_.end()) value.data = old->second.data;
  const auto* const bytes = static_cast<const std::byte*>(data);
  value.data.insert(value.data.end(), bytes, bytes + size);
  if ((attributes & EFI_VARIABLE_NON_VOLATILE) != 0) {
    const std::uint64_t replaced = old != values_.end() ? old->second.data.size() : 0;
    const std::uint64_t added =
        value.data.size() + (old == values_.end() ? bytes_of_name(text) : 0);
    if (used() + added > quota_ + replaced) return status::out_of_resources;
  }
  values_[id] = std::move(value);
  writes_.push_back(u"set " + text);
  return status::success;
}

Status Variables::get_next_variable_name(UINTN* size, char16_t* name, EFI_GUID* vendor) {
  if (size == nullptr || name == nullptr || vendor == nullptr) return status::invalid_parameter;
  if (const auto failure = calls_.enter("GetNextVariableName")) return *failure;
  const std::size_t units = *size / sizeof(char16_t);
  if (std::find(name, name + units, u'\0') == name + units) return status::invalid_parameter;
  const std::vector<Id> ids = order();
  auto next = ids.begin();
  if (*name != 0) {
    next = std::ranges::find(ids, Id{guid_at(vendor), name});
    if (next == ids.end()) return status::invalid_parameter;
    ++next;
  }
  if (next == ids.end()) return status::not_found;
  const std::size_t needed = bytes_of_name(next->name);
  const std::size_t given = *size;
  *size = needed;
  if (given < needed) return status::buffer_too_small;
  __builtin_memcpy(name, next->name.c_str(), needed);
  __builtin_memcpy(vendor, &next->vendor, sizeof(next->vendor));
  return status::success;
}

Status Variables::query_variable_info(UINT32 attributes, UINT64* storage, UINT64* remaining,
                                      UINT64* largest) {
  if (attributes == 0 || storage == nullptr || remaining == nullptr || largest == nullptr)
    return status::invalid_parameter;
  if (const auto failure = calls_.enter("QueryVariableInfo")) return *failure;
  *storage = quota_;
  *remaining = quota_ - std::min(used(), quota_);
  *largest = largest_value;
  return status::success;
}

// ---- Content ----

void Variables::set(const Name& name, Bytes data, std::uint32_t attributes) {
  values_[id_of(name)] = {.data = {data.begin(), data.end()}, .attributes = attributes};
}

void Variables::set_text(const Name& name, std::u16string_view text) {
  const std::u16string with_nul(text);
  set(name, std::as_bytes(std::span(with_nul.c_str(), with_nul.size() + 1)));
}

std::optional<Variables::Value> Variables::get(const Name& name) const {
  const auto found = values_.find(id_of(name));
  return found != values_.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<std::u16string> Variables::text(const Name& name) const {
  const auto value = get(name);
  if (!value) return std::nullopt;
  const std::u16string units = units_of(value->data);
  return units.substr(0, units.find(u'\0'));
}

std::optional<std::string> Variables::utf8(const Name& name) const {
  const auto value = get(name);
  if (!value) return std::nullopt;
  return std::string(text_of(value->data));
}

void Variables::power_cycle() {
  std::erase_if(values_, [](const auto& item) {
    return (item.second.attributes & EFI_VARIABLE_NON_VOLATILE) == 0;
  });
}

std::vector<Variables::Id> Variables::order() const {
  std::vector<Id> ids;
  for (const auto& [id, value] : values_) ids.push_back(id);
  std::mt19937_64 random(seed_);
  std::ranges::shuffle(ids, random);
  return ids;
}

std::uint64_t Variables::used() const {
  std::uint64_t size = 0;
  for (const auto& [id, value] : values_)
    if ((value.attributes & EFI_VARIABLE_NON_VOLATILE) != 0)
      size += bytes_of_name(id.name) + value.data.size();
  return size;
}

}  // namespace keelson::sim
