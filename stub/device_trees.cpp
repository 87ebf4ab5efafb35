// SPDX-License-Identifier: MIT
//
// Prepares and installs device trees; see device_trees.h.
#include "stub/device_trees.h"

namespace keelson::stub {

Result<> DeviceTrees::prepare(Bytes image_tree, std::span<Addon> addons, Diagnostics& diagnostics) {
  if (!image_tree.empty()) {
    auto prepared = efi::PreparedDeviceTree::prepare(image_tree);
    if (prepared.has_value())
      TRY(trees_.push({.addon = std::nullopt, .prepared = std::move(*prepared)}));
    else
      diagnostics.warn("the device tree of the image is not used: ", prepared.error());
  }
  for (std::size_t i = 0; i < addons.size(); ++i) {
    if (addons[i].device_tree.empty()) continue;
    auto prepared = efi::PreparedDeviceTree::prepare(addons[i].device_tree.bytes());
    if (prepared.has_value()) {
      TRY(trees_.push({.addon = i, .prepared = std::move(*prepared)}));
    } else {
      addons[i].device_tree.release();
      diagnostics.warn("the device tree of ", addons[i].name, " is not used: ", prepared.error());
    }
  }
  return {};
}

void DeviceTrees::install(const PlannedEvents& events, const MeasuredEvents& results,
                          Diagnostics& diagnostics) {
  for (std::size_t i = trees_.size(); i-- != 0;) {
    Tree& tree = trees_[i];
    if (tree.addon && has_failed(events, results, {Subject::device_tree, *tree.addon})) continue;
    const Result<> installed = table_.install(std::move(tree.prepared));
    if (installed.has_value()) return;
    diagnostics.warn("a device tree cannot be installed: ", installed.error());
  }
}

}  // namespace keelson::stub
