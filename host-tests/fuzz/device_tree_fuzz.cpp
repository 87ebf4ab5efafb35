// SPDX-License-Identifier: MIT
//
// Any bytes as a device tree: reading ends, and the board lies in the tree, ended by a NUL.
#include "efi/format/device_tree.h"

#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  // Trees lie on a word.
  const auto room = std::make_unique<std::uint32_t[]>(size / sizeof(std::uint32_t) + 1);
  const MutableBytes input =
      std::as_writable_bytes(std::span(room.get(), size / 4 + 1)).first(size);
  if (size != 0) __builtin_memcpy(input.data(), data, size);
  const auto tree = device_tree::DeviceTree::parse(input);
  if (!tree.has_value()) return 0;
  if (tree->bytes().data() != input.data() || tree->bytes().size() > size) __builtin_trap();
  const auto board = tree->compatible();
  if (!board.has_value()) return 0;
  if (board->empty() || board->find('\0') != board->npos || *(board->data() + board->size()) != 0)
    __builtin_trap();
  return 0;
}
