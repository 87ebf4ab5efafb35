// SPDX-License-Identifier: MIT
//
// What a finished program must be; see program_check.h. One function per subject.
#include "linker/program_check.h"

#include <algorithm>

#include "efi/format/pe.h"
#include "efi/format/sbat.h"

namespace keelson::linker {
namespace {

constexpr std::uint16_t dll_characteristics = 0x160;  // high entropy, dynamic base, NX compatible
constexpr std::uint32_t page_alignment = 4096;
constexpr std::uint32_t file_alignment = 512;
// Builders write merged SBAT texts over ours.
constexpr std::uint32_t spare_sbat_bytes = 512;

Outcome<> check_headers(const pe::Headers& headers, const ProgramRules& rules) {
  const bool wide_pages = headers.machine == pe::Machine::aa64;
  if (headers.subsystem != pe::subsystem_efi_application)
    return refuse(Errc::malformed, "", "is not an EFI application");
  if (headers.dll_characteristics != dll_characteristics)
    return refuse(Errc::malformed, "", "DllCharacteristics are not 0x160");
  if (headers.section_alignment != (wide_pages ? 16 : 1) * page_alignment)
    return refuse(Errc::malformed, "", "sections are not aligned to the machine's largest page");
  if (headers.file_alignment != file_alignment)
    return refuse(Errc::malformed, "", "FileAlignment is not 512");
  if (headers.certificates.size != 0) return refuse(Errc::malformed, "", "is signed already");
  if (headers.debug.size != 0)
    return refuse(Errc::malformed, "", "has a debug directory, which differs between builds");
  if (headers.number_of_symbols != 0)
    return refuse(Errc::malformed, "", "has a COFF symbol table, which builders would drop");
  if (headers.base_relocations.size == 0)
    return refuse(Errc::malformed, "", "has no base relocations: some firmware refuses that");
  const std::uint64_t room = rules.spare_section_headers * sizeof(pe::SectionHeader);
  if (headers.table_end() + room > headers.size_of_headers)
    return refuse(Errc::malformed, "", "has too little room for section headers");
  return {};
}

Outcome<> check_sections(const pe::Image& image) {
  const pe::Headers& headers = image.headers();
  bool entry_is_code = false;
  std::uint32_t seen = 0;
  for (const pe::Section& section : image.sections()) {
    ++seen;
    if (section.executable() && section.writable())
      return refuse(Errc::malformed, section.name(), "is writable and executable");
    if (pe::value(section.virtual_address) < page_alignment)
      return refuse(Errc::malformed, section.name(), "lies in the page of the headers");
    TRY(slice(image.bytes(), pe::value(section.raw_pointer), section.raw_size,
              "a section reaches past the end of the file"));
    // Nobody runs constructors of statics; the compiler's warning does not see every way to one.
    if (section.name() == ".ctors" || section.name() == ".CRT")
      return refuse(Errc::malformed, section.name(), "holds constructors, which never run");
    const std::uint32_t entry = pe::value(headers.entry_point);
    const std::uint32_t start = pe::value(section.virtual_address);
    if (section.executable() && entry >= start && entry - start < section.virtual_size)
      entry_is_code = true;
  }
  if (seen != headers.section_count)
    return refuse(Errc::malformed, "", "has a section outside of the image");
  if (!entry_is_code) return refuse(Errc::malformed, "", "starts outside of its code");
  if (!image.find(".reloc")) return refuse(Errc::malformed, ".reloc", "is missing");
  TRY(image.check_disjoint());
  return {};
}

Outcome<> check_sbat(const pe::Image& image) {
  const auto section = image.find(".sbat");
  if (!section || !section->is_set()) return refuse(Errc::malformed, ".sbat", "is missing");
  if (section->index + 1 == image.headers().section_count)
    return refuse(Errc::malformed, ".sbat", "is the last section, so builders cannot replace it");
  if (section->raw_size < section->virtual_size + spare_sbat_bytes)
    return refuse(Errc::malformed, ".sbat", "has too little room for longer texts");
  const auto data = TRY(image.data(*section));
  const std::string_view text = text_of(data.stored);
  constexpr std::size_t first_size = sbat::first_line.size();
  if (!text.starts_with(sbat::first_line) || !text.substr(first_size).starts_with('\n'))
    return refuse(Errc::malformed, ".sbat", "does not begin with SBAT's own line");
  if (text.size() == first_size + 1 || !text.ends_with('\n'))
    return refuse(Errc::malformed, ".sbat", "names no component, or its last line has no end");
  const auto is_text = [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); };
  if (!std::ranges::all_of(text, is_text))
    return refuse(Errc::malformed, ".sbat", "is not plain ASCII text");
  return {};
}

}  // namespace

Outcome<> check_program(Bytes bytes, const ProgramRules& rules) {
  const auto image = TRY(pe::Image::parse(bytes, pe::Layout::file, pe::Accept::any_machine));
  TRY(check_headers(image.headers(), rules));
  TRY(check_sections(image));
  if (rules.has_sbat) TRY(check_sbat(image));
  if (!rules.has_sbat && image.find(".sbat"))
    return refuse(Errc::malformed, ".sbat", "is there, and this program should have none");
  return {};
}

}  // namespace keelson::linker
