// SPDX-License-Identifier: MIT
//
// Section contents for the tool.
#include "tools/keelson/sections.h"

#include <algorithm>

#include "efi/format/authenticode.h"
#include "efi/format/identity.h"
#include "efi/format/uki_sections.h"
#include "tools/keelson/failure.h"

namespace keelson::tool {

pe::Image whole_image(Bytes bytes, const std::string& path) {
  const pe::Image image =
      or_fail(pe::Image::parse(bytes, pe::Layout::file, pe::Accept::any_machine), path);
  or_fail(authenticode::hashed_bytes(bytes), path);
  return image;
}

Buffer section_content(const pe::Image& image, const pe::Section& section,
                       const std::string& path) {
  const pe::SectionData data = or_fail(image.data(section), path);
  if (data.zeros > 1_GiB)
    throw Failure(path + ": section " + std::string(section.name()) + " claims an absurd size");
  Buffer content(data.stored.begin(), data.stored.end());
  content.resize(static_cast<std::size_t>(data.size()));
  return content;
}

Buffer loaded_image(const pe::Image& image, const std::string& path) {
  const pe::Headers& headers = image.headers();
  const Bytes file = image.bytes();
  if (headers.size_of_image > file.size() + 1_GiB)
    throw Failure(path + ": claims an absurd size in memory");
  Buffer memory(headers.size_of_image);
  const std::size_t header_bytes =
      std::min<std::size_t>({headers.size_of_headers, file.size(), memory.size()});
  std::copy_n(file.begin(), header_bytes, memory.begin());
  for (const pe::Section& section : image.sections()) {
    const pe::SectionData data = or_fail(image.data(section), path);
    const MutableBytes room(memory);
    if (pe::value(section.virtual_address) > room.size() ||
        data.stored.size() > room.size() - pe::value(section.virtual_address))
      throw Failure(path + ": section " + std::string(section.name()) + " lies outside of it");
    std::ranges::copy(data.stored, memory.begin() + pe::value(section.virtual_address));
  }
  return memory;
}

std::optional<ProductVersion> product_of(Bytes bytes) {
  const auto image = pe::Image::parse(bytes, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value()) return std::nullopt;
  const auto section = image->find(sdmagic_section);
  if (!section || section->virtual_size > 4_KiB) return std::nullopt;
  const auto data = image->data(*section);
  if (!data.has_value()) return std::nullopt;
  const std::string_view product = identity::product_of_sdmagic(text_of(data->stored));
  const std::size_t space = product.find(' ');
  if (product.empty() || space == std::string_view::npos) return std::nullopt;
  return ProductVersion{std::string(product.substr(0, space)),
                        std::string(product.substr(space + 1))};
}

}  // namespace keelson::tool
