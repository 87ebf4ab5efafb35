// SPDX-License-Identifier: MIT
//
// Owns flattened device trees for tests, made token by token; every offset and size can be wrong.
#pragma once

#include <string>
#include <string_view>

#include "efi/base/wire.h"

namespace keelson::sample {

inline std::string be32(std::uint32_t value) {
  return std::string(text_of(bytes_of_struct(Be<std::uint32_t>(value))));
}

struct DeviceTree {
  std::string structure;
  std::string strings;
  std::uint32_t magic = 0xd00dfeed;
  std::optional<std::uint32_t> total_size{}, struct_offset{}, struct_size{}, strings_offset{},
      strings_size{};

  static std::string padded(std::string text) {
    text.resize((text.size() + 3) / 4 * 4);
    return text;
  }
  DeviceTree& begin(const std::string& name = "") {
    structure += be32(1) + padded(name + '\0');
    return *this;
  }
  DeviceTree& end() {
    structure += be32(2);
    return *this;
  }
  DeviceTree& nop() {
    structure += be32(4);
    return *this;
  }
  DeviceTree& token(std::uint32_t value) {
    structure += be32(value);
    return *this;
  }
  // `size` and `name_offset`: other than the right ones.
  DeviceTree& property(const std::string& name, const std::string& value,
                       std::optional<std::uint32_t> size = std::nullopt,
                       std::optional<std::uint32_t> name_offset = std::nullopt) {
    const auto at = static_cast<std::uint32_t>(strings.size());
    strings += name + '\0';
    structure += be32(3) + be32(size.value_or(static_cast<std::uint32_t>(value.size()))) +
                 be32(name_offset.value_or(at)) + padded(value);
    return *this;
  }
  std::string bytes() const {
    constexpr std::uint32_t reservations = 40, first = 56;
    const auto size_of = [](const std::string& block) {
      return static_cast<std::uint32_t>(block.size());
    };
    const std::uint32_t strings_at = first + size_of(structure);
    const std::uint32_t end = strings_at + size_of(strings);
    std::string out = be32(magic) + be32(total_size.value_or(end)) +
                      be32(struct_offset.value_or(first)) +
                      be32(strings_offset.value_or(strings_at)) + be32(reservations) + be32(17) +
                      be32(16) + be32(0) + be32(strings_size.value_or(size_of(strings))) +
                      be32(struct_size.value_or(size_of(structure)));
    return out + std::string(16, '\0') + structure + strings;
  }
};

// A tree of one root node that names `boards` (each with its NUL).
inline std::string device_tree_of(const std::string& boards) {
  return DeviceTree().begin().property("compatible", boards).end().token(9).bytes();
}

}  // namespace keelson::sample
