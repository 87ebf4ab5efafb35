// SPDX-License-Identifier: MIT
//
// Owns taking section contents out of PE images for the tool: whole contents as bytes that are
// measured (VirtualSize, zeros included), and what a program says it is (.sdmagic).
#pragma once

#include <optional>
#include <string>

#include "efi/format/pe.h"
#include "tools/keelson/host_file.h"

namespace keelson::tool {

// A PE image of any machine whose sections are all there. `path` is for the Failure.
pe::Image whole_image(Bytes bytes, const std::string& path);

// virtual_size bytes. `path` is for the Failure.
Buffer section_content(const pe::Image& image, const pe::Section& section, const std::string& path);

// The image as it lies in memory, zeros at the end of sections included. `path` is for the Failure:
// a size that no file makes plausible.
Buffer loaded_image(const pe::Image& image, const std::string& path);

// "keelson-boot 0.1.0", taken from .sdmagic; nullopt if it has none, or is no PE image.
struct ProductVersion {
  std::string product, version;
};
std::optional<ProductVersion> product_of(Bytes image);

}  // namespace keelson::tool
