// SPDX-License-Identifier: MIT
//
// Owns writing PE files: see pe_writer.h.
#include "linker/pe_writer.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace keelson::linker {
namespace {

using pe::OptionalHeaderStart;

bool is_section_name(std::string_view name) {
  return !name.empty() && name.size() <= 8 &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

template <class T>
void put(std::vector<std::byte>& to, std::uint64_t at, T value) {
  const Le<T> wire(value);
  std::ranges::copy(bytes_of_struct(wire), to.begin() + static_cast<std::ptrdiff_t>(at));
}

// Rounds up; sizes here are below 2^33, so nothing overflows.
std::uint64_t rounded(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace

PeWriter::Section* PeWriter::find(std::string_view name) {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}
const PeWriter::Section* PeWriter::find(std::string_view name) const {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

std::uint64_t PeWriter::image_end() const {
  std::uint64_t end = headers_.size_of_headers;
  for (const Section& section : sections_)
    end =
        std::max(end, std::uint64_t{section.header.virtual_address} + section.header.virtual_size);
  return end;
}

std::uint64_t PeWriter::file_end() const {
  std::uint64_t end = headers_.size_of_headers;
  for (const Section& section : sections_)
    if (section.header.size_of_raw_data != 0)
      end = std::max(
          end, std::uint64_t{section.header.pointer_to_raw_data} + section.header.size_of_raw_data);
  return end;
}

std::uint64_t PeWriter::table_end(std::size_t section_count) const {
  return headers_.table_offset + section_count * sizeof(pe::SectionHeader);
}

// Up to where the section's content may reach before it meets the next one.
std::uint64_t PeWriter::virtual_room(const Section& section) const {
  const std::uint64_t start = section.header.virtual_address;
  std::uint64_t end = UINT32_MAX;
  for (const Section& other : sections_)
    if (&other != &section && other.header.virtual_address >= start)
      end = std::min(end, std::uint64_t{other.header.virtual_address});
  return end - start;
}

Outcome<PeWriter> PeWriter::open(Bytes bytes) {
  const pe::Image image = TRY(pe::Image::parse(bytes, pe::Layout::file, pe::Accept::any_machine));
  PeWriter writer;
  writer.headers_ = image.headers();
  const pe::Headers& headers = writer.headers_;
  if (headers.certificates.address != 0 || headers.certificates.size != 0)
    return refuse(Errc::denied, "", "image is signed; a changed one would not verify");
  if (headers.size_of_headers < headers.table_end() || headers.size_of_headers > bytes.size())
    return refuse(Errc::malformed, "", "SizeOfHeaders");
  const Bytes head = bytes.first(static_cast<std::size_t>(headers.table_offset));
  writer.head_.assign(head.begin(), head.end());
  TRY(writer.take_sections(image));
  TRY(writer.drop_symbols(bytes));

  const auto misaligned = [&](const Section& section) {
    return section.header.size_of_raw_data % headers.file_alignment != 0 ||
           section.header.pointer_to_raw_data % headers.file_alignment != 0;
  };
  if (headers.size_of_headers % headers.file_alignment != 0 ||
      std::ranges::any_of(writer.sections_, misaligned))
    TRY(writer.repack({.file_alignment = headers.file_alignment}));
  return writer;
}

Outcome<> PeWriter::take_sections(const pe::Image& image) {
  std::uint64_t virtual_end = headers_.table_end();
  std::vector<std::pair<std::uint64_t, std::uint64_t>> raw;
  for (std::uint32_t i = 0; i < headers_.section_count; ++i) {
    Section section;
    section.header = TRY(load<pe::SectionHeader>(
        image.bytes(), headers_.table_offset + i * sizeof(pe::SectionHeader), "section table"));
    const std::string name(section.name());
    const auto read = image.section(i);
    if (!read) return refuse(Errc::malformed, name, "section outside the image");
    if (section.header.virtual_address < virtual_end)
      return refuse(Errc::malformed, name, "sections overlap or are out of order");
    virtual_end = std::uint64_t{section.header.virtual_address} + section.header.virtual_size;
    section.content = TRY(image.data(*read)).stored;
    if (read->raw_size == 0) {
      section.header.pointer_to_raw_data = 0;
    } else {
      const std::uint64_t at = pe::value(read->raw_pointer);
      if (at + read->raw_size > image.bytes().size())
        return refuse(Errc::truncated, name, "section past the end of the file");
      raw.emplace_back(at, at + read->raw_size);
    }
    sections_.push_back(section);
  }
  std::ranges::sort(raw);
  std::uint64_t raw_end = headers_.size_of_headers;
  for (const auto& [first, end] : raw) {
    if (first < raw_end) return refuse(Errc::malformed, "", "sections share bytes of the file");
    raw_end = end;
  }
  return {};
}

// Old linkers leave a symbol table at the end of the file, where new sections will be.
Outcome<> PeWriter::drop_symbols(Bytes image) {
  const std::uint64_t end = file_end();
  if (headers_.number_of_symbols != 0) {
    if (headers_.pointer_to_symbol_table < end)
      return refuse(Errc::unsupported, "", "symbol table in front of a section");
    put<std::uint32_t>(head_,
                       headers_.coff_offset + offsetof(pe::CoffHeader, pointer_to_symbol_table), 0);
    put<std::uint32_t>(head_, headers_.coff_offset + offsetof(pe::CoffHeader, number_of_symbols),
                       0);
    headers_.pointer_to_symbol_table = 0;
    headers_.number_of_symbols = 0;
    return {};
  }
  if (end < image.size() && !all_zero(image.subspan(static_cast<std::size_t>(end))))
    return refuse(Errc::unsupported, "", "data behind the last section");
  return {};
}

// For one more section header: SizeOfHeaders and the first section's data move, if they must.
Outcome<> PeWriter::make_header_room() {
  const std::uint64_t needed = table_end(sections_.size() + 1);
  if (sections_.size() + 1 > UINT16_MAX) return refuse(Errc::unsupported, "", "too many sections");
  if (needed <= headers_.size_of_headers) return {};
  if (sections_.empty() || needed > sections_.front().header.virtual_address)
    return refuse(Errc::out_of_memory, "", "no room for another section header");
  return repack({.file_alignment = headers_.file_alignment,
                 .size_of_headers = static_cast<std::uint32_t>(needed)});
}

Outcome<> PeWriter::add(std::string_view name, Bytes content, std::uint32_t characteristics) {
  if (!is_section_name(name))
    return refuse(Errc::malformed, name, "section name is not 1 to 8 printable ASCII characters");
  const auto room = make_header_room();
  if (!room.has_value()) return refuse(room.error().error.code, name, room.error().error.what);

  const std::uint64_t address = rounded(image_end(), headers_.section_alignment);
  const std::uint64_t offset = rounded(file_end(), headers_.file_alignment);
  const std::uint64_t raw_size = rounded(content.size(), headers_.file_alignment);
  // The end of the image, rounded, must fit its field too.
  if (content.size() > UINT32_MAX || offset + raw_size > UINT32_MAX ||
      rounded(address + content.size(), headers_.section_alignment) > UINT32_MAX)
    return refuse(Errc::unsupported, name, "image would exceed 4 GiB");

  Section section;
  section.header = {};  // the name is padded with zeros, and nothing else is set by chance
  std::ranges::copy(name, section.header.name.begin());
  section.header.virtual_size = static_cast<std::uint32_t>(content.size());
  section.header.virtual_address = static_cast<std::uint32_t>(address);
  section.header.size_of_raw_data = static_cast<std::uint32_t>(raw_size);
  section.header.pointer_to_raw_data = content.empty() ? 0 : static_cast<std::uint32_t>(offset);
  section.header.characteristics = characteristics;
  section.content = content;
  sections_.push_back(section);
  headers_.section_count = static_cast<std::uint16_t>(sections_.size());
  added_data_ += static_cast<std::uint32_t>(content.size());
  return {};
}

Outcome<> PeWriter::fill(std::size_t index, Bytes content) {
  Section& section = sections_[index];
  if (content.size() > section.header.size_of_raw_data)
    return refuse(Errc::out_of_memory, section.name(), "no room for the new content");
  section.header.virtual_size = static_cast<std::uint32_t>(content.size());
  section.content = content;
  section.room = section.header.size_of_raw_data;
  return {};
}

Outcome<PeWriter::Replaced> PeWriter::replace(std::string_view name, Bytes content) {
  Section* const section = find(name);
  if (section == nullptr) return refuse(Errc::not_found, name, "no such section in the image");
  if (content.size() > UINT32_MAX) return refuse(Errc::unsupported, name, "content too large");
  const auto size = static_cast<std::uint32_t>(content.size());
  if (size <= virtual_room(*section)) {
    const bool fits = size <= section->header.size_of_raw_data;
    section->header.virtual_size = size;
    section->content = content;
    if (fits) {
      section->room = section->header.size_of_raw_data;
      return Replaced::in_place;
    }
    TRY(repack({.file_alignment = headers_.file_alignment}));
    return Replaced::grown;
  }
  const std::uint32_t characteristics = section->header.characteristics;
  sections_.erase(sections_.begin() + (section - sections_.data()));
  TRY(add(name, content, characteristics));
  TRY(repack({.file_alignment = headers_.file_alignment}));  // closes the gap in the file
  return Replaced::moved;
}

Outcome<> PeWriter::reserve(std::string_view name, std::uint32_t raw_size) {
  Section* const section = find(name);
  if (section == nullptr) return refuse(Errc::not_found, name, "no such section in the image");
  section->room = std::max(section->room, raw_size);
  if (section->header.size_of_raw_data >= raw_size) return {};
  return repack({.file_alignment = headers_.file_alignment});
}

void PeWriter::clear_nx_compat() {
  headers_.dll_characteristics &= static_cast<std::uint16_t>(~pe::dll_nx_compat);
}

Outcome<> PeWriter::repack(const FileLayout& layout) {
  if (headers_.debug.size != 0)
    return refuse(Errc::unsupported, "", "image has a debug directory, its data cannot be moved");
  const std::uint32_t alignment = layout.file_alignment;
  if (!std::has_single_bit(alignment) || alignment > pe::max_section_alignment)
    return refuse(Errc::malformed, "", "file alignment is not a power of two");
  std::uint64_t at = rounded(
      layout.size_of_headers == 0 ? headers_.size_of_headers : layout.size_of_headers, alignment);
  if (at < table_end(sections_.size()))
    return refuse(Errc::out_of_memory, "", "section headers need more room");
  if (!sections_.empty() && at > sections_.front().header.virtual_address)
    return refuse(Errc::out_of_memory, "", "headers would reach over the first section");
  const auto size_of_headers = static_cast<std::uint32_t>(at);
  for (Section& section : sections_) {
    const std::uint64_t size =
        rounded(std::max<std::uint64_t>(section.content.size(), section.room), alignment);
    if (at + size > UINT32_MAX)
      return refuse(Errc::unsupported, section.name(), "image would exceed 4 GiB");
    section.header.size_of_raw_data = static_cast<std::uint32_t>(size);
    section.header.pointer_to_raw_data = size == 0 ? 0 : static_cast<std::uint32_t>(at);
    at += size;
  }
  headers_.size_of_headers = size_of_headers;
  headers_.file_alignment = alignment;
  return {};
}

Outcome<std::vector<std::byte>> PeWriter::write() const {
  std::vector<std::byte> image = head_;
  image.resize(static_cast<std::size_t>(file_end()));
  const std::uint64_t optional = headers_.optional_offset;
  const auto size_of_image =
      static_cast<std::uint32_t>(rounded(image_end(), headers_.section_alignment));
  put(image, headers_.coff_offset + offsetof(pe::CoffHeader, number_of_sections),
      headers_.section_count);
  const std::uint64_t data_size =
      optional + offsetof(OptionalHeaderStart, size_of_initialized_data);
  const auto initialized = TRY(load<Le<std::uint32_t>>(head_, data_size, "optional header"));
  put<std::uint32_t>(image, data_size, initialized + added_data_);
  put(image, optional + offsetof(OptionalHeaderStart, file_alignment), headers_.file_alignment);
  put(image, optional + offsetof(OptionalHeaderStart, size_of_image), size_of_image);
  put(image, optional + offsetof(OptionalHeaderStart, size_of_headers), headers_.size_of_headers);
  put<std::uint32_t>(image, headers_.check_sum_offset, 0);
  put(image, optional + offsetof(OptionalHeaderStart, dll_characteristics),
      headers_.dll_characteristics);

  auto table = image.begin() + static_cast<std::ptrdiff_t>(headers_.table_offset);
  for (const Section& section : sections_) {
    table = std::ranges::copy(bytes_of_struct(section.header), table).out;
    std::ranges::copy(
        section.content,
        image.begin() + static_cast<std::ptrdiff_t>(section.header.pointer_to_raw_data.get()));
  }
  TRY(check_written(image));
  return image;
}

// Reads the image with the reader that firmware code uses, and compares.
Outcome<> PeWriter::check_written(Bytes bytes) const {
  const pe::Image image = TRY(pe::Image::parse(bytes, pe::Layout::file, pe::Accept::any_machine));
  TRY(image.check_disjoint());
  if (image.headers().section_count != sections_.size())
    return refuse(Errc::malformed, "", "written image has another number of sections");
  for (std::uint32_t i = 0; i < sections_.size(); ++i) {
    const Section& wanted = sections_[i];
    const auto section = image.section(i);
    if (!section || section->name() != wanted.name())
      return refuse(Errc::malformed, wanted.name(), "section is not in the written image");
    const auto data = TRY(image.data(*section));
    if (text_of(data.stored.first(std::min(data.stored.size(), wanted.content.size()))) !=
            text_of(wanted.content) ||
        !all_zero(data.stored.subspan(wanted.content.size())))
      return refuse(Errc::malformed, wanted.name(), "section was not written as it was given");
  }
  return {};
}

}  // namespace keelson::linker
