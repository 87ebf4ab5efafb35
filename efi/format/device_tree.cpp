// SPDX-License-Identifier: MIT
//
// Owns reading flattened device trees: see device_tree.h.
#include "efi/format/device_tree.h"

#include <bit>
#include <optional>

#include "efi/base/wire.h"

namespace keelson::device_tree {
namespace {

constexpr std::uint32_t magic = 0xd00dfeed;
constexpr std::size_t token_size = 4;

struct Header {  // big-endian throughout
  Be<std::uint32_t> magic, total_size, struct_offset, strings_offset, reservations_offset, version,
      last_compatible_version, boot_cpu, strings_size, struct_size;
};
static_assert(sizeof(Header) == header_size);

enum class Token : std::uint32_t { begin_node = 1, end_node = 2, property = 3, nop = 4, end = 9 };

struct PropertyHeader {
  Be<std::uint32_t> size, name_offset;
};

// The structure block, token by token. Every step moves forward inside the block, so walks end.
class Structure {
 public:
  Structure(Bytes block, Bytes strings) : block_(block), strings_(strings) {}

  // The next token that is not a NOP. Error: truncated.
  Result<Token> next() {
    Token token = Token::nop;
    while (token == Token::nop) {
      token = static_cast<Token>(
          TRY(load<Be<std::uint32_t>>(block_, at_, "device tree structure without end")).get());
      at_ += token_size;
    }
    return token;
  }
  // The name behind a begin_node token. Error: malformed.
  Result<> skip_name() {
    const std::size_t end = text_of(block_).find('\0', at_);
    if (end == std::string_view::npos)
      return fail(Errc::malformed, "device tree node name without end", at_);
    move_to(end + 1);
    return {};
  }
  struct Property {
    std::string_view name;
    Bytes value;
  };
  // What is behind a property token. Errors: truncated, malformed.
  Result<Property> property() {
    const auto header = TRY(load<PropertyHeader>(block_, at_, "device tree property past the end"));
    const std::uint64_t value_at = at_ + sizeof(PropertyHeader);
    const Bytes value =
        TRY(slice(block_, value_at, header.size, "device tree property past the end"));
    move_to(value_at + header.size);
    const std::string_view strings = text_of(strings_);
    const std::size_t name_end =
        header.name_offset < strings.size() ? strings.find('\0', header.name_offset) : strings.npos;
    if (name_end == strings.npos)
      return fail(Errc::malformed, "device tree property name past the strings",
                  header.name_offset);
    return Property{strings.substr(header.name_offset, name_end - header.name_offset), value};
  }

 private:
  void move_to(std::uint64_t at) { at_ = (at + token_size - 1) & ~std::uint64_t{token_size - 1}; }

  Bytes block_;
  Bytes strings_;
  std::uint64_t at_ = 0;
};

// The first of the texts in a property's value.
Result<std::string_view> first_string(Bytes value) {
  if (value.empty() || value.back() != std::byte{0})
    return fail(Errc::malformed, "device tree text without NUL");
  const std::string_view all = text_of(value);
  const std::string_view first = all.substr(0, all.find('\0'));
  if (first.empty()) return fail(Errc::not_found, "device tree names an empty board");
  return first;
}

}  // namespace

Result<std::uint64_t> total_size(Bytes start) {
  const auto header = TRY(load<Header>(start, 0, "device tree shorter than its header"));
  if (header.magic != magic) return fail(Errc::malformed, "not a device tree", header.magic);
  if (header.total_size < header_size || header.total_size > max_size)
    return fail(Errc::malformed, "device tree of an impossible size", header.total_size);
  return std::uint64_t{header.total_size};
}

Result<DeviceTree> DeviceTree::parse(Bytes bytes) {
  if (std::bit_cast<std::uintptr_t>(bytes.data()) % alignment != 0)
    return fail(Errc::malformed, "device tree is not aligned");
  DeviceTree tree;
  tree.bytes_ = TRY(slice(bytes, 0, TRY(total_size(bytes)), "device tree past its section"));
  return tree;
}

Result<std::string_view> DeviceTree::compatible() const {
  const auto header = TRY(load<Header>(bytes_, 0, "device tree header"));
  if (header.struct_offset % token_size != 0)
    return fail(Errc::malformed, "device tree structure is not aligned", header.struct_offset);
  const auto struct_end = std::uint64_t{header.struct_offset} + header.struct_size;
  if (struct_end > header.strings_offset)
    return fail(Errc::malformed, "device tree strings do not follow the structure", struct_end);
  Structure structure(TRY(slice(bytes_, header.struct_offset, header.struct_size,
                                "device tree structure past the end")),
                      TRY(slice(bytes_, header.strings_offset, header.strings_size,
                                "device tree strings past the end")));

  if (TRY(structure.next()) != Token::begin_node)
    return fail(Errc::malformed, "device tree without root node");
  TRY(structure.skip_name());
  auto token = TRY(structure.next());
  while (token == Token::property) {
    const auto property = TRY(structure.property());
    if (property.name == "compatible") return first_string(property.value);
    token = TRY(structure.next());
  }
  if (token != Token::begin_node && token != Token::end_node)
    return fail(Errc::malformed, "unknown device tree token", static_cast<std::uint32_t>(token));
  return fail(Errc::not_found, "device tree names no board");
}

}  // namespace keelson::device_tree
