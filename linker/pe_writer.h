// SPDX-License-Identifier: MIT
//
// Owns writing PE files (tools.md 2.3, stub.md 1.5): takes an unsigned image apart, changes, adds
// and moves sections, lays the file out again. Host only. Which sections a UKI gets is
// uki_builder.h's; reading is efi/format/pe.h's.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "efi/format/pe.h"
#include "linker/outcome.h"

namespace keelson::linker {

// Characteristics of added sections: `.linux` is code, all others data; none is executable.
inline constexpr std::uint32_t kernel_section_flags = pe::section_code | pe::section_read;
inline constexpr std::uint32_t data_section_flags = pe::section_initialized_data | pe::section_read;

class PeWriter {
 public:
  // Contents are borrowed until `write`. A COFF symbol table at the end is dropped. Any machine.
  // Refuses signed images, sections that overlap or are out of order, and data behind the sections.
  // A file whose sections are not aligned as it says is repacked. What lies behind VirtualSize in a
  // section's raw room, and between the section table and the first section, becomes zeros.
  static Outcome<PeWriter> open(Bytes image);

  const pe::Headers& headers() const { return headers_; }

  struct Section {
    pe::SectionHeader header;
    Bytes content;           // at most SizeOfRawData bytes; the rest of the room is zero
    std::uint32_t room = 0;  // SizeOfRawData is never less, even if the content is
    std::string_view name() const {
      const std::string_view all(header.name.data(), header.name.size());
      return all.substr(0, all.find('\0'));
    }
  };
  std::span<const Section> sections() const { return sections_; }
  bool has(std::string_view name) const { return find(name) != nullptr; }

  // Appends a section of `content.size()` bytes behind the others; name: 1 to 8 printable ASCII
  // characters. Names may repeat. Borrows `content`. Without room for its header the file is
  // repacked to have some, if the first section's address allows it.
  Outcome<> add(std::string_view name, Bytes content, std::uint32_t characteristics);

  // Gives the first section of that name another content, VirtualSize included: in place, in more
  // raw room if the next section's address allows it, and else by moving it behind the others
  // (nothing refers to a data section like `.sbat` by address). Error: not_found.
  enum class Replaced : std::uint8_t { in_place, grown, moved };
  Outcome<Replaced> replace(std::string_view name, Bytes content);

  // Gives the section at `index` of sections() another content, VirtualSize included, within its
  // raw room: the file keeps its length. Error: out_of_memory.
  Outcome<> fill(std::size_t index, Bytes content);

  // Raises SizeOfRawData of a section to at least that, by repacking (the post-link step gives
  // `.sbat` room for longer texts).
  Outcome<> reserve(std::string_view name, std::uint32_t raw_size);

  void clear_nx_compat();

  // Lays the file out anew: sections at the next multiple of `file_alignment`, in order, from
  // `size_of_headers` on, each with no more raw room than it needs. No address changes. Refuses
  // images with a debug directory, whose file offsets would go stale.
  struct FileLayout {
    std::uint32_t file_alignment = 512;
    std::uint32_t size_of_headers = 0;  // rounded up; 0: as it is
  };
  Outcome<> repack(const FileLayout& layout);

  // The image: SizeOfImage computed, CheckSum 0. It is read back and compared before it is given
  // out.
  Outcome<std::vector<std::byte>> write() const;

 private:
  Section* find(std::string_view name);
  const Section* find(std::string_view name) const;
  std::uint64_t image_end() const;
  std::uint64_t file_end() const;
  std::uint64_t table_end(std::size_t section_count) const;
  std::uint64_t virtual_room(const Section& section) const;
  Outcome<> take_sections(const pe::Image& image);
  Outcome<> drop_symbols(Bytes image);
  Outcome<> make_header_room();
  Outcome<> check_written(Bytes image) const;

  pe::Headers headers_;
  std::vector<std::byte> head_;  // everything before the section table
  std::vector<Section> sections_;
  std::uint32_t added_data_ = 0;  // for SizeOfInitializedData
};

}  // namespace keelson::linker
