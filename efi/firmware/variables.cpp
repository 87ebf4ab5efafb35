// SPDX-License-Identifier: MIT
//
// Variable access (variables.h).
#include "efi/firmware/variables.h"

#include <algorithm>

#include "efi/firmware/protocol.h"

namespace keelson::efi {
namespace {

// Most variables fit; larger ones are asked for again with their size.
constexpr std::size_t first_room = 512;
// How often a variable may have grown since it was asked for its size.
constexpr int most_attempts = 4;

// One GetVariable. `size` is the room before and the variable's size afterwards, also if it was too
// small (status buffer_too_small).
Status read(const VariableId& id, FirmwareText& name, void* room, UINTN& size,
            std::uint32_t& attributes) {
  attributes = 0;
  return runtime_services().GetVariable(name.efi(), as_efi(id.vendor), &attributes, &size, room);
}

}  // namespace

Result<VariableValue> Variables::get(const VariableId& id, TextArena& arena) const {
  FirmwareText name = TRY(FirmwareText::from(id.text));
  std::uint32_t attributes = 0;
  UINTN wanted = first_room;
  for (int attempt = 0; attempt < most_attempts && wanted <= largest_variable; ++attempt) {
    const MutableBytes room = TRY(arena.reserve(wanted, 8));
    UINTN size = room.size();
    const Status result = read(id, name, room.data(), size, attributes);
    if (result != status::buffer_too_small) {
      TRY(check(result, "variable cannot be read"));
      if (size > room.size()) return fail(Errc::malformed, "variable of a wrong size", size);
      return VariableValue{.data = room.first(size), .attributes = attributes};
    }
    wanted = size;
  }
  return fail(Errc::unsupported, "variable too large", wanted);
}

Result<VariableValue> Variables::get(const VariableId& id, MutableBytes room) const {
  FirmwareText name = TRY(FirmwareText::from(id.text));
  std::uint32_t attributes = 0;
  UINTN size = room.size();
  const Status result = read(id, name, room.data(), size, attributes);
  if (result == status::buffer_too_small)
    return fail(Errc::truncated, "variable larger than expected", size);
  TRY(check(result, "variable cannot be read"));
  if (size > room.size()) return fail(Errc::malformed, "variable of a wrong size", size);
  return VariableValue{.data = room.first(size), .attributes = attributes};
}

bool Variables::exists(const VariableId& id) const {
  std::byte none;
  const auto value = get(id, MutableBytes(&none, 0));
  return value.has_value() || value.error().code == Errc::truncated;
}

Result<VariableValue> Variables::get_report(const VariableId& id, MutableBytes room) const {
  const VariableValue value = TRY(get(id, room));
  if ((value.attributes & loader_interface::non_volatile) != 0)
    return fail(Errc::not_found, "variable is not of this boot");
  return value;
}

Result<> Variables::set(const VariableId& id, Bytes data) const {
  if (data.empty()) return fail(Errc::malformed, "empty value would delete the variable");
  if (data.size() > largest_variable)
    return fail(Errc::unsupported, "value too large", data.size());
  if ((id.attributes & loader_interface::non_volatile) != 0) {
    std::byte old[first_room];
    const auto value = get(id, MutableBytes(old));
    if (value.has_value() && value->attributes == id.attributes &&
        std::ranges::equal(value->data, data))
      return {};
  }
  FirmwareText name = TRY(FirmwareText::from(id.text));
  return check(runtime_services().SetVariable(name.efi(), as_efi(id.vendor), id.attributes,
                                              data.size(), const_cast<std::byte*>(data.data())),
               "variable cannot be written");
}

Result<> Variables::set_if_absent(const VariableId& id, Bytes data) const {
  if (exists(id)) return {};
  return set(id, data);
}

Result<> Variables::remove(const VariableId& id) const {
  if (!exists(id)) return {};
  FirmwareText name = TRY(FirmwareText::from(id.text));
  return check(runtime_services().SetVariable(name.efi(), as_efi(id.vendor), 0, 0, nullptr),
               "variable cannot be deleted");
}

}  // namespace keelson::efi
