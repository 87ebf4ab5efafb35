// SPDX-License-Identifier: MIT
//
// The device tree of firmware and kernel (device_tree.h).
#include "efi/firmware/device_tree.h"

#include "efi/firmware/protocol.h"
#include "efi/firmware/system.h"

namespace keelson::efi {
namespace {

constexpr UINT32 all_fixups = device_tree_apply_fixups | device_tree_reserve_memory;

Result<Pages> copy_into(std::uint64_t size, Bytes tree) {
  Pages pages = TRY(Pages::allocate({.size = size, .kind = MemoryKind::acpi_reclaim}));
  __builtin_memcpy(pages.data(), tree.data(), tree.size());
  return pages;
}

}  // namespace

Result<device_tree::DeviceTree> installed_device_tree() {
  const auto* const table =
      static_cast<const std::byte*>(configuration_table(table_guid::device_tree));
  if (table == nullptr) return fail(Errc::not_found, "firmware has no device tree");
  const std::uint64_t size = TRY(device_tree::total_size(Bytes(table, device_tree::header_size)));
  return device_tree::DeviceTree::parse(Bytes(table, static_cast<std::size_t>(size)));
}

Result<PreparedDeviceTree> PreparedDeviceTree::prepare(Bytes tree) {
  const Bytes source = TRY(device_tree::DeviceTree::parse(tree)).bytes();
  PreparedDeviceTree prepared;
  prepared.pages_ = TRY(copy_into(source.size(), source));
  auto* const protocol = locate<DeviceTreeFixupProtocol>();
  if (protocol == nullptr) return prepared;

  // The whole of the last page may be filled.
  UINTN size = pages_for(prepared.pages_.size()) * page_size;
  Status fixed = protocol->fixup(protocol, prepared.pages_.data(), &size, all_fixups);
  if (fixed == status::buffer_too_small) {
    if (size > device_tree::max_size)
      return fail(Errc::unsupported, "firmware wants too much room for a device tree", size);
    // From the source again: nobody says what the refusal left in the copy.
    prepared.pages_ = TRY(copy_into(size < source.size() ? source.size() : size, source));
    size = pages_for(prepared.pages_.size()) * page_size;
    fixed = protocol->fixup(protocol, prepared.pages_.data(), &size, all_fixups);
  }
  TRY(check(fixed, "firmware cannot fix up the device tree"));
  return prepared;
}

Result<> DeviceTreeTable::install(PreparedDeviceTree tree) {
  const bool first = installed_.empty();
  if (first) {
    earlier_ = configuration_table(table_guid::device_tree);
    TRY(undo_.set([](void* self) { static_cast<DeviceTreeTable*>(self)->restore(); }, this));
  }
  const Result<> installed =
      install_configuration_table(table_guid::device_tree, tree.pages_.data());
  if (installed.has_value()) {
    installed_ = std::move(tree.pages_);
  } else if (first) {
    undo_.forget();
  }
  return installed;
}

void DeviceTreeTable::restore() {
  undo_.forget();
  if (installed_.empty()) return;
  const Result<> restored = install_configuration_table(table_guid::device_tree, earlier_);
  // The firmware still shows it to others: then it has to stay.
  if (!proceed_despite(restored, "the tree of a kernel that did not start stays"))
    installed_.abandon();
  installed_.release();
}

}  // namespace keelson::efi
