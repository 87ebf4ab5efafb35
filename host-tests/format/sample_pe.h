// SPDX-License-Identifier: MIT
//
// Owns small PE images for tests, made byte by byte and not by linker/, so that reader and writer
// are not checked against each other alone. Every field can be set to what no linker would write.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "efi/format/pe.h"

namespace keelson::sample {

using Buffer = std::vector<std::byte>;

struct Section {
  std::string name;
  std::string content;
  std::uint32_t flags = pe::section_initialized_data | pe::section_read;
  // Unset ones are laid out as a linker would.
  std::optional<std::uint32_t> virtual_size{}, virtual_address{}, raw_size{}, raw_pointer{};
  std::uint32_t relocations_pointer = 0;
};

struct Pe {
  pe::Machine machine = pe::native_machine;
  std::uint32_t e_lfanew = 0x40;
  std::uint16_t magic = pe::magic_pe32_plus;
  std::uint32_t entry_point = 0x1000;
  std::uint32_t section_alignment = 0x1000, file_alignment = 0x200;
  std::uint16_t major_image_version = 1;
  std::optional<std::uint32_t> size_of_image{}, size_of_headers{};
  std::uint16_t subsystem = pe::subsystem_efi_application;
  std::uint16_t dll_characteristics = 0x160;
  std::optional<std::uint16_t> size_of_optional_header{}, section_count{};
  std::uint32_t directory_count = 16;
  pe::DataDirectory certificates{}, base_relocations{}, debug{};
  std::vector<Section> sections{};
};

template <class T>
void put(Buffer& to, std::uint64_t at, const T& value) {
  if (to.size() < at + sizeof(T)) to.resize(static_cast<std::size_t>(at + sizeof(T)));
  std::ranges::copy(bytes_of_struct(value), to.begin() + static_cast<std::ptrdiff_t>(at));
}

inline std::uint32_t up(std::uint32_t value, std::uint32_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

inline Buffer make(const Pe& in) {
  const std::uint32_t directories = in.magic == pe::magic_pe32_plus ? 112 : 96;
  const std::uint32_t optional = in.e_lfanew + 24;
  const auto optional_size =
      static_cast<std::uint16_t>(directories + 16 * sizeof(pe::DataDirectory));
  const std::uint32_t table = optional + in.size_of_optional_header.value_or(optional_size);
  const auto count = static_cast<std::uint32_t>(in.sections.size());
  const std::uint32_t alignment = std::max(in.file_alignment, 1u);
  const std::uint32_t headers =
      in.size_of_headers.value_or(up(table + count * 40u, std::min(alignment, 0x1000u)));

  Buffer out;
  pe::DosHeader dos{};
  dos.magic = {'M', 'Z'};
  dos.e_lfanew = in.e_lfanew;
  put(out, 0, dos);
  put(out, in.e_lfanew, std::array<char, 4>{'P', 'E', 0, 0});
  pe::CoffHeader coff{};
  coff.machine = static_cast<std::uint16_t>(in.machine);
  coff.number_of_sections = in.section_count.value_or(static_cast<std::uint16_t>(count));
  coff.size_of_optional_header = in.size_of_optional_header.value_or(optional_size);
  put(out, in.e_lfanew + 4, coff);

  out.resize(headers);
  std::uint32_t address = up(std::max(headers, 0x1000u), 0x1000), offset = headers;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Section& section = in.sections[i];
    const auto size = static_cast<std::uint32_t>(section.content.size());
    pe::SectionHeader header{};
    std::ranges::copy(section.name, header.name.begin());
    header.virtual_size = section.virtual_size.value_or(size);
    header.virtual_address = section.virtual_address.value_or(address);
    header.size_of_raw_data = section.raw_size.value_or(up(size, 0x200));
    header.pointer_to_raw_data = section.raw_pointer.value_or(size == 0 ? 0 : offset);
    header.pointer_to_relocations = section.relocations_pointer;
    header.characteristics = section.flags;
    put(out, table + i * 40u, header);
    if (size != 0) {
      if (out.size() < offset + up(size, 0x200)) out.resize(offset + up(size, 0x200));
      std::ranges::copy(std::as_bytes(std::span(section.content)),
                        out.begin() + static_cast<std::ptrdiff_t>(offset));
      offset += up(size, 0x200);
    }
    address = std::max(address, up(header.virtual_address + header.virtual_size, 0x1000));
  }

  pe::OptionalHeaderStart start{};
  start.magic = in.magic;
  start.address_of_entry_point = in.entry_point;
  start.section_alignment = in.section_alignment;
  start.file_alignment = in.file_alignment;
  start.major_image_version = in.major_image_version;
  start.size_of_image = in.size_of_image.value_or(address);
  start.size_of_headers = headers;
  start.subsystem = in.subsystem;
  start.dll_characteristics = in.dll_characteristics;
  put(out, optional, start);
  put(out, optional + directories - 4, Le<std::uint32_t>(in.directory_count));
  const auto directory = [&](std::size_t index, const pe::DataDirectory& value) {
    if (value.address != 0 || value.size != 0)
      put(out, optional + directories + index * sizeof(value), value);
  };
  directory(pe::directory_certificates, in.certificates);
  directory(pe::directory_base_relocations, in.base_relocations);
  directory(pe::directory_debug, in.debug);
  return out;
}

// As firmware would lay it out in memory; sections that do not fit are left out.
inline Buffer load(const Buffer& file) {
  const auto image = pe::Image::parse(file, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value()) return {};
  Buffer memory(image->headers().size_of_image);
  const std::size_t headers =
      std::min<std::size_t>({image->headers().size_of_headers, file.size(), memory.size()});
  std::copy_n(file.begin(), headers, memory.begin());
  for (const pe::Section& section : image->sections()) {
    const auto data = image->data(section);
    if (!data.has_value()) continue;
    std::ranges::copy(data->stored, memory.begin() + pe::value(section.virtual_address));
  }
  return memory;
}

// A kernel that a stub starts in memory.
inline Pe kernel_pe() {
  Pe kernel;
  kernel.entry_point = 0x2010;
  kernel.sections = {
      {.name = ".setup", .content = std::string(0x400, 's')},
      {.name = ".text",
       .content = std::string(0x1234, 't'),
       .flags = pe::section_code | pe::section_execute | pe::section_read},
      {.name = ".data",
       .content = std::string(0x10, 'd'),
       .flags = pe::section_initialized_data | pe::section_read | pe::section_write,
       .virtual_size = 0x3000},
  };
  for (Section& section : kernel.sections)  // raw data that exceeds the room is refused
    section.raw_size = static_cast<std::uint32_t>(section.content.size());
  return kernel;
}

inline std::string text(const Buffer& bytes) { return std::string(text_of(bytes)); }

}  // namespace keelson::sample
