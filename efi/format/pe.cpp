// SPDX-License-Identifier: MIT
//
// Owns reading PE/COFF: see pe.h.
#include "efi/format/pe.h"

#include <algorithm>
#include <bit>

#include "efi/base/merge_sort.h"
#include "efi/base/page_list.h"

namespace keelson::pe {
namespace {

bool is_machine(std::uint16_t machine) { return !efi_arch(static_cast<Machine>(machine)).empty(); }

bool is_64_bit(Machine machine) {
  switch (machine) {
    case Machine::x64:
    case Machine::aa64:
    case Machine::riscv64:
    case Machine::loongarch64:
      return true;
    case Machine::i386:
    case Machine::arm:
    case Machine::riscv32:
    case Machine::loongarch32:
      return false;
  }
  return false;
}

struct Fixed {
  DosHeader dos;
  CoffHeader coff;
  std::uint64_t coff_offset = 0;
};

// What has to be read before anything has a known place.
Result<Fixed> read_fixed(Bytes bytes) {
  Fixed fixed;
  fixed.dos = TRY(load<DosHeader>(bytes, 0, "shorter than a DOS header"));
  if (fixed.dos.magic[0] != 'M' || fixed.dos.magic[1] != 'Z')
    return fail(Errc::malformed, "no MZ signature");
  const std::uint32_t at = fixed.dos.e_lfanew;
  // Kernels exist with the header at 0x82, so it need not be a multiple of 4.
  if (at < sizeof(DosHeader) || at % 2 != 0)
    return fail(Errc::malformed, "PE header offset", offsetof(DosHeader, e_lfanew));
  const Bytes signature = TRY(slice(bytes, at, 4, "PE header past the end"));
  if (text_of(signature) != std::string_view("PE\0\0", 4))
    return fail(Errc::malformed, "no PE signature", at);
  fixed.coff_offset = std::uint64_t{at} + 4;
  fixed.coff = TRY(load<CoffHeader>(bytes, fixed.coff_offset, "COFF header past the end"));
  return fixed;
}

bool is_alignment(std::uint32_t alignment) {
  return std::has_single_bit(alignment) && alignment <= max_section_alignment;
}

Result<> read_optional_header(Bytes bytes, const CoffHeader& coff, Headers& headers) {
  const std::uint64_t at = headers.optional_offset;
  const std::uint16_t size = coff.size_of_optional_header;
  const Bytes optional = TRY(slice(bytes, at, size, "optional header past the end"));
  const auto start = TRY(load<OptionalHeaderStart>(optional, 0, "optional header too short"));

  if (start.magic != magic_pe32 && start.magic != magic_pe32_plus)
    return fail(Errc::malformed, "optional header magic", at);
  headers.plus = start.magic == magic_pe32_plus;
  if (headers.plus != is_64_bit(headers.machine))
    return fail(Errc::malformed, "32-bit optional header for a 64-bit machine, or the reverse", at);

  const std::uint64_t directories = headers.plus ? 112 : 96;
  const auto count = TRY(load<Le<std::uint32_t>>(optional, directories - 4, "no data directories"));
  if (count <= directory_base_relocations || count > 16)
    return fail(Errc::malformed, "number of data directories", at + directories - 4);
  if (directories + std::uint64_t{count} * sizeof(DataDirectory) > size)
    return fail(Errc::malformed, "data directories past the optional header", at + directories);

  const auto directory = [&](std::size_t index) {
    return load<DataDirectory>(optional, directories + index * sizeof(DataDirectory),
                               "data directory");
  };
  headers.directory_count = count;
  headers.directories_offset = at + directories;
  headers.certificates = TRY(directory(directory_certificates));
  headers.base_relocations = TRY(directory(directory_base_relocations));
  if (count > directory_debug) headers.debug = TRY(directory(directory_debug));

  headers.entry_point = static_cast<Rva>(start.address_of_entry_point.get());
  headers.section_alignment = start.section_alignment;
  headers.file_alignment = start.file_alignment;
  headers.major_image_version = start.major_image_version;
  headers.size_of_image = start.size_of_image;
  headers.size_of_headers = start.size_of_headers;
  headers.subsystem = start.subsystem;
  headers.dll_characteristics = start.dll_characteristics;
  headers.check_sum_offset = at + offsetof(OptionalHeaderStart, check_sum);
  if (!is_alignment(headers.section_alignment))
    return fail(Errc::malformed, "section alignment",
                at + offsetof(OptionalHeaderStart, section_alignment));
  if (!is_alignment(headers.file_alignment))
    return fail(Errc::malformed, "file alignment",
                at + offsetof(OptionalHeaderStart, file_alignment));
  if (headers.size_of_image == 0)
    return fail(Errc::malformed, "image of size 0",
                at + offsetof(OptionalHeaderStart, size_of_image));
  return {};
}

// Where a section lies in the loaded image.
struct Extent {
  std::uint64_t first = 0, end = 0;
  std::uint32_t index = 0;
};

}  // namespace

std::string_view efi_arch(Machine machine) {
  switch (machine) {
    case Machine::i386:
      return "ia32";
    case Machine::x64:
      return "x64";
    case Machine::arm:
      return "arm";
    case Machine::aa64:
      return "aa64";
    case Machine::riscv32:
      return "riscv32";
    case Machine::riscv64:
      return "riscv64";
    case Machine::loongarch32:
      return "loongarch32";
    case Machine::loongarch64:
      return "loongarch64";
  }
  return {};
}

Result<std::uint64_t> headers_size(Bytes start) {
  const Fixed fixed = TRY(read_fixed(start));
  const std::uint64_t size = fixed.coff_offset + sizeof(CoffHeader) +
                             fixed.coff.size_of_optional_header +
                             std::uint64_t{fixed.coff.number_of_sections} * sizeof(SectionHeader);
  if (size > max_headers_size) return fail(Errc::malformed, "headers too large", size);
  return size;
}

Result<Image> Image::parse(Bytes bytes, Layout layout, Accept accept) {
  const Fixed fixed = TRY(read_fixed(bytes));
  Image image;
  image.bytes_ = bytes;
  image.layout_ = layout;
  Headers& headers = image.headers_;
  if (!is_machine(fixed.coff.machine))
    return fail(Errc::unsupported, "unknown machine", fixed.coff_offset);
  headers.machine = static_cast<Machine>(fixed.coff.machine.get());
  if (accept == Accept::native && headers.machine != native_machine)
    return fail(Errc::unsupported, "made for another machine", fixed.coff_offset);
  headers.section_count = fixed.coff.number_of_sections;
  if (headers.section_count == 0) return fail(Errc::malformed, "no sections", fixed.coff_offset);
  headers.pointer_to_symbol_table = fixed.coff.pointer_to_symbol_table;
  headers.number_of_symbols = fixed.coff.number_of_symbols;
  headers.coff_offset = fixed.coff_offset;
  headers.optional_offset = fixed.coff_offset + sizeof(CoffHeader);
  headers.table_offset = headers.optional_offset + fixed.coff.size_of_optional_header;
  TRY(read_optional_header(bytes, fixed.coff, headers));
  if (headers.table_end() > max_headers_size)
    return fail(Errc::malformed, "section table too large", headers.table_offset);
  TRY(slice(bytes, headers.table_offset, headers.table_end() - headers.table_offset,
            "section table past the end"));
  return image;
}

std::optional<Section> Image::section(std::uint32_t index) const {
  if (index >= headers_.section_count) return std::nullopt;
  const auto header = load<SectionHeader>(
      bytes_, headers_.table_offset + std::uint64_t{index} * sizeof(SectionHeader), "section");
  if (!header.has_value()) return std::nullopt;
  const std::uint64_t virtual_end = std::uint64_t{header->virtual_address} + header->virtual_size;
  const std::uint64_t raw_end =
      std::uint64_t{header->pointer_to_raw_data} + header->size_of_raw_data;
  if (virtual_end > headers_.size_of_image || raw_end > UINT32_MAX) return std::nullopt;
  Section section;
  section.name_bytes = header->name;
  section.index = index;
  section.virtual_size = header->virtual_size;
  section.virtual_address = static_cast<Rva>(header->virtual_address.get());
  section.raw_size = header->size_of_raw_data;
  section.raw_pointer = static_cast<FileOffset>(header->pointer_to_raw_data.get());
  section.relocations_pointer = header->pointer_to_relocations;
  section.characteristics = header->characteristics;
  return section;
}

void Image::Iterator::settle() {
  for (; next_ < last_; ++next_) {
    const auto section = image_->section(next_);
    if (section) {
      section_ = *section;
      return;
    }
  }
}

std::optional<Section> Image::find(std::string_view name) const {
  for (const Section& section : sections())
    if (section.name() == name) return section;
  return std::nullopt;
}

Result<SectionData> Image::data(const Section& section) const {
  if (layout_ == Layout::loaded) {
    return SectionData{TRY(slice(bytes_, value(section.virtual_address), section.virtual_size,
                                 "section past the end of the image"))};
  }
  // Where nothing is stored, the pointer means nothing.
  if (section.stored_size() == 0) return SectionData{.stored = {}, .zeros = section.virtual_size};
  const Bytes stored = TRY(slice(bytes_, value(section.raw_pointer), section.stored_size(),
                                 "section past the end of the file"));
  return SectionData{stored, section.virtual_size - section.stored_size()};
}

Result<> Image::check_disjoint() const {
  bool ascending = true;
  std::uint64_t end = headers_.table_end();
  for (const Section& section : sections()) {
    if (!section.is_set()) continue;
    const std::uint64_t first = value(section.virtual_address);
    if (first < headers_.table_end())
      return fail(Errc::malformed, "section over the headers", section.index);
    if (first < end) ascending = false;
    end = first + section.virtual_size;
  }
  if (ascending) return {};

  PageList<Extent> extents;
  for (const Section& section : sections()) {
    if (!section.is_set()) continue;
    const std::uint64_t first = value(section.virtual_address);
    TRY(extents.push({first, first + section.virtual_size, section.index}));
  }
  const auto order = TRY(sorted_indices(extents.size(), [&](std::uint32_t a, std::uint32_t b) {
    return extents[a].first < extents[b].first;
  }));
  std::uint64_t previous_end = 0;
  for (const std::uint32_t i : order.items()) {
    if (extents[i].first < previous_end)
      return fail(Errc::malformed, "two sections overlap", extents[i].index);
    previous_end = extents[i].end;
  }
  return {};
}

std::optional<Rva> compat_entry(Bytes compat_section, Machine machine) {
  struct Record {
    unsigned char type, size;
    Le<std::uint16_t> machine;
    Le<std::uint32_t> entry;
  };
  static_assert(sizeof(Record) == 8);
  Bytes rest = compat_section;
  while (rest.size() >= 2) {
    const auto type = static_cast<unsigned char>(rest[0]);
    const auto size = static_cast<unsigned char>(rest[1]);
    if (type == 0 || size == 0 || size > rest.size()) return std::nullopt;
    if (type == 1 && size >= sizeof(Record)) {
      const auto record = load<Record>(rest, 0, ".compat record");
      if (record.has_value() && record->machine == static_cast<std::uint16_t>(machine))
        return static_cast<Rva>(record->entry.get());
    }
    rest = rest.subspan(size);
  }
  return std::nullopt;
}

namespace {

// Every section must be copied as it is, so nothing may be skipped silently here.
Result<> check_kernel_sections(const Image& image, std::uint64_t file_size) {
  std::uint32_t sound = 0;
  for (const Section& section : image.sections()) {
    ++sound;
    if (section.relocations_pointer != 0)
      return fail(Errc::malformed, "kernel section with relocations", section.index);
    if (section.raw_size > section.virtual_size)
      return fail(Errc::malformed, "kernel section with more data than room", section.index);
    if (section.raw_size != 0 &&
        std::uint64_t{value(section.raw_pointer)} + section.raw_size > file_size)
      return fail(Errc::truncated, "kernel section past the end", section.index);
  }
  if (sound != image.headers().section_count)
    return fail(Errc::malformed, "kernel section outside the image");
  return image.check_disjoint();
}

bool lies_in_code(const Image& image, Rva entry) {
  if (value(entry) == 0 || value(entry) >= image.headers().size_of_image) return false;
  for (const Section& section : image.sections()) {
    const std::uint32_t first = value(section.virtual_address);
    if (value(entry) >= first && value(entry) - first < section.virtual_size)
      return section.executable() && section.raw_size != 0;
  }
  return false;
}

std::optional<Rva> find_compat_entry(const Image& image, Machine machine) {
  const auto section = image.find(".compat");
  if (!section) return std::nullopt;
  const auto records = image.data(*section);
  if (!records.has_value()) return std::nullopt;
  return compat_entry(records->stored, machine);
}

// With NX each page has one kind of access, so no page may hold code and something else. Sections
// must ascend for that to be seen in one pass; those of every kernel do.
Result<> check_code_pages(const Image& image) {
  if (image.headers().section_alignment < page_size)
    return fail(Errc::malformed, "kernel says NX_COMPAT but does not align sections to pages");
  std::uint64_t previous_first = 0, end = 0;  // in pages
  bool previous_is_code = false;
  for (const Section& section : image.sections()) {
    if (!section.is_set()) continue;
    if (section.executable() && section.writable())
      return fail(Errc::malformed, "kernel section is writable and executable", section.index);
    const std::uint64_t first = value(section.virtual_address) / page_size;
    if (first < previous_first)
      return fail(Errc::malformed, "kernel sections are out of order", section.index);
    if (first < end && section.is_code() != previous_is_code)
      return fail(Errc::malformed, "code and data of the kernel share a page", section.index);
    previous_first = first;
    previous_is_code = section.is_code();
    end = pages_for(std::uint64_t{value(section.virtual_address)} + section.virtual_size);
  }
  return {};
}

}  // namespace

Result<Kernel> Kernel::parse(Bytes file, Machine machine) {
  Kernel kernel;
  const auto image = Image::parse(file, Layout::file, Accept::any_machine);
  if (!image.has_value())  // what is wrong with it tells few; that it is the kernel tells all
    return fail(image.error().code, "the kernel is no sound PE image", image.error().where);
  kernel.image_ = *image;
  const Headers& headers = kernel.image_.headers();
  kernel.entry_point_ = headers.entry_point;
  kernel.compat_entry_ = find_compat_entry(kernel.image_, machine);
  if (headers.machine != machine) {
    if (!kernel.compat_entry_)
      return fail(Errc::unsupported, "kernel for another machine", headers.coff_offset);
    kernel.entry_point_ = *kernel.compat_entry_;
  }
  if (headers.major_image_version < 1)
    return fail(Errc::unsupported, "kernel too old to take its initrd from us (image version 0)");
  if (headers.base_relocations.size != 0)
    return fail(Errc::malformed, "kernel needs base relocations");
  TRY(check_kernel_sections(kernel.image_, file.size()));
  for (const auto& entry : {std::optional(kernel.entry_point_), kernel.compat_entry_})
    if (entry && !lies_in_code(kernel.image_, *entry))
      return fail(Errc::malformed, "kernel entry point outside its code", value(*entry));
  if (headers.nx_compat()) TRY(check_code_pages(kernel.image_));
  kernel.alignment_ = std::max<std::uint32_t>(headers.section_alignment, page_size);
  return kernel;
}

Result<> Kernel::load_into(MutableBytes target) const {
  if (target.size() != size_of_image())
    return fail(Errc::out_of_memory, "buffer is not as large as the kernel's image", target.size());
  __builtin_memset(target.data(), 0, target.size());
  for (const Section& section : image_.sections()) {
    const Bytes stored = TRY(image_.data(section)).stored;
    if (stored.empty()) continue;
    __builtin_memcpy(target.subspan(value(section.virtual_address), stored.size()).data(),
                     stored.data(), stored.size());
  }
  return {};
}

}  // namespace keelson::pe
