// SPDX-License-Identifier: MIT
//
// Fix-ups of device trees (device_tree_fixup.h).
#include "host-tests/sim/device_tree_fixup.h"

#include <algorithm>
#include <cstring>

#include "efi/base/wire.h"
#include "efi/format/device_tree.h"

namespace keelson::sim {
namespace {

namespace status = efi::status;

constexpr std::size_t total_size_offset = 4;

}  // namespace

DeviceTreeFixup::DeviceTreeFixup(Calls& calls) : calls_(calls) {
  device_.protocol.revision = 0x10000;
  device_.protocol.fixup = call;
  device_.fixup = this;
}

EFI_STATUS EFIAPI DeviceTreeFixup::call(efi::DeviceTreeFixupProtocol* self, void* tree, UINTN* size,
                                        UINT32 flags) {
  return reinterpret_cast<Device*>(self)->fixup->fix(static_cast<std::byte*>(tree), *size, flags);
}

efi::Status DeviceTreeFixup::fix(std::byte* tree, UINTN& size, UINT32 flags) {
  if (const auto failure = calls_.enter("DeviceTreeFixup", std::to_string(size))) return *failure;
  if (flags != (efi::device_tree_apply_fixups | efi::device_tree_reserve_memory))
    return status::invalid_parameter;
  if (failure_ != 0) return failure_;
  const auto total = device_tree::total_size(Bytes(tree, size));
  if (!total.has_value() || *total > size) return status::invalid_parameter;
  if (refusals_ > 0 || *total + added_.size() > size) {
    // As real code: it has begun with its work when it notices.
    std::memset(tree + device_tree::header_size, 0xee, *total - device_tree::header_size);
    refusals_ -= refusals_ > 0 ? 1 : 0;
    const std::uint64_t needed = std::max<std::uint64_t>(*total + added_.size(), size + 1);
    size = wanted_ != 0 ? wanted_ : needed;
    return status::buffer_too_small;
  }
  std::memcpy(tree + *total, added_.data(), added_.size());
  const Be<std::uint32_t> grown = static_cast<std::uint32_t>(*total + added_.size());
  std::memcpy(tree + total_size_offset, &grown, sizeof(grown));
  return status::success;
}

}  // namespace keelson::sim
