// SPDX-License-Identifier: MIT
//
// Owns flattened device trees (Devicetree Specification 0.4, chapter 5) as far as a boot loader
// reads them: the header, and which board the root node names. Trees are not changed here;
// installing one is efi/firmware/device_tree.h.
#pragma once

#include <string_view>

#include "efi/base/bytes.h"

namespace keelson::device_tree {

// No tree is larger (R6 of the security rules).
inline constexpr std::uint64_t max_size = 32_MiB;
inline constexpr std::size_t header_size = 40;  // since version 17
inline constexpr std::size_t alignment = 4;     // that a tree must lie at

// The size that the tree beginning in `start` states, which need not hold all of it. Errors:
// truncated (no header), malformed (magic, a size under header_size or over max_size).
Result<std::uint64_t> total_size(Bytes start);

class DeviceTree {
 public:
  // Checks alignment, magic and total size, nothing else. `bytes` may be longer than the tree.
  // Errors: truncated, malformed.
  static Result<DeviceTree> parse(Bytes bytes);

  Bytes bytes() const { return bytes_; }  // total_size of them
  // The first string of the root node's `compatible`: the board. Stops at the first subnode.
  // Errors: not_found (there is none), truncated, malformed.
  Result<std::string_view> compatible() const;

 private:
  Bytes bytes_;
};

}  // namespace keelson::device_tree
