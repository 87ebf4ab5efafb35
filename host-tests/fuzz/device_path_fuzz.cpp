// SPDX-License-Identifier: MIT
//
// Any bytes as a device path: walking ends within them, and what is built from an accepted path is
// a path again.
#include "efi/format/device_path.h"

#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto whole = device_path::whole(input);
  const auto nodes = device_path::without_end(input);
  if (whole.has_value() && !nodes.has_value()) __builtin_trap();
  device_path::Walk walk(input);
  for (bool more = true; more;) {
    const auto node = walk.next();
    more = node.has_value() && node->has_value();
  }
  if (walk.offset() > size) __builtin_trap();
  TextArena arena;
  const auto text = device_path::file_path_text(input, arena);
  if (text.has_value() && 2 * text->size() > size) __builtin_trap();
  (void)device_path::first_uri(input);
  (void)device_path::last_cd_rom(input);
  const auto drive = device_path::last_hard_drive(input);
  if (!drive.has_value() || !drive->has_value()) return 0;
  std::vector<std::byte> room(size + 64);
  Writer writer(room);
  device_path::append_hard_drive(writer, (*drive)->drive);
  device_path::append_end(writer);
  const auto written = writer.done();
  if (!written.has_value()) __builtin_trap();
  const auto again = device_path::last_hard_drive(*written);
  if (!again.has_value() || !again->has_value() ||
      (*again)->drive.signature != (*drive)->drive.signature)
    __builtin_trap();
  return 0;
}
