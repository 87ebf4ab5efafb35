// SPDX-License-Identifier: MIT
//
// Owns how the parts of an initrd become one (stub.md 5.5, loader.md 10.4): each is padded with
// zeros to 4 bytes. They are joined in the kernel's own buffer, wherever that is.
#pragma once

#include <span>

#include "efi/base/bytes.h"

namespace keelson::initrd_parts {

// How the size counts: systemd's stub pads every part to 4 bytes, its loader not the last one, so
// that a file's hash stays its own. A single part always stays as it is.
enum class LastPart : bool { padded, as_it_is };

// The size when joined. Empty parts count as absent. Error: out_of_memory, if no machine could
// hold it.
Result<std::uint64_t> joined_size(std::span<const Bytes> parts, LastPart last_part);
// Joins them in `to`, which has that size.
void join(std::span<const Bytes> parts, MutableBytes to);

}  // namespace keelson::initrd_parts
