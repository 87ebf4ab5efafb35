// SPDX-License-Identifier: MIT
//
// Owns reading PE/COFF ("PE Format", Microsoft; stub.md 1.2; security.md 5, I-PE): headers,
// sections of a file or of an image that firmware has loaded, and the strict view of a kernel that
// is started from memory (stub.md 7.2). What Secure Boot hashes is authenticode.h's, what sections
// mean in a UKI uki.h's, writing is linker/'s.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "efi/base/bytes.h"
#include "efi/base/wire.h"

namespace keelson::pe {

enum class Machine : std::uint16_t {
  i386 = 0x14c,
  x64 = 0x8664,
  arm = 0x1c2,
  aa64 = 0xaa64,
  riscv32 = 0x5032,
  riscv64 = 0x5064,
  loongarch32 = 0x6232,
  loongarch64 = 0x6264,
};
#if defined(__x86_64__)
inline constexpr Machine native_machine = Machine::x64;
#elif defined(__aarch64__)
inline constexpr Machine native_machine = Machine::aa64;
#elif defined(__i386__)
inline constexpr Machine native_machine = Machine::i386;
#elif defined(__arm__)
inline constexpr Machine native_machine = Machine::arm;
#elif defined(__riscv) && __riscv_xlen == 64
inline constexpr Machine native_machine = Machine::riscv64;
#elif defined(__loongarch64)
inline constexpr Machine native_machine = Machine::loongarch64;
#endif
// "x64", "aa64", as in file names like BOOTX64.EFI; empty for an unknown machine.
std::string_view efi_arch(Machine machine);

// Positions in a file and in a loaded image; one is never taken for the other.
enum class FileOffset : std::uint32_t {};
enum class Rva : std::uint32_t {};
constexpr std::uint32_t value(FileOffset offset) { return static_cast<std::uint32_t>(offset); }
constexpr std::uint32_t value(Rva rva) { return static_cast<std::uint32_t>(rva); }

// How the bytes lie: as in the file (sections at PointerToRawData) or as loaded (at
// VirtualAddress).
enum class Layout : std::uint8_t { file, loaded };
// Which machines parse accepts.
enum class Accept : std::uint8_t { native, any_machine };

inline constexpr std::uint16_t subsystem_efi_application = 10;
inline constexpr std::uint16_t dll_nx_compat = 0x100;
inline constexpr std::uint32_t section_code = 0x20;
inline constexpr std::uint32_t section_initialized_data = 0x40;
inline constexpr std::uint32_t section_execute = 0x2000'0000;
inline constexpr std::uint32_t section_read = 0x4000'0000;
inline constexpr std::uint32_t section_write = 0x8000'0000;
inline constexpr std::uint32_t max_section_alignment = 16u << 20;
// Headers, section table included, must end here; systemd's limit for the table.
inline constexpr std::uint64_t max_headers_size = 16_MiB;

struct DosHeader {
  std::array<unsigned char, 2> magic;
  std::array<unsigned char, 58> unused;
  Le<std::uint32_t> e_lfanew;
};
static_assert(sizeof(DosHeader) == 64 && alignof(DosHeader) == 1);

struct CoffHeader {
  Le<std::uint16_t> machine, number_of_sections;
  Le<std::uint32_t> time_date_stamp, pointer_to_symbol_table, number_of_symbols;
  Le<std::uint16_t> size_of_optional_header, characteristics;
};
static_assert(sizeof(CoffHeader) == 20 && alignof(CoffHeader) == 1);

// The common part of both optional headers, by offset: PE32 and PE32+ differ in bytes 24 to 31 and
// 72 to 103 only.
struct OptionalHeaderStart {
  Le<std::uint16_t> magic;
  std::array<unsigned char, 2> linker_version;
  Le<std::uint32_t> size_of_code, size_of_initialized_data, size_of_uninitialized_data,
      address_of_entry_point, base_of_code;
  std::array<unsigned char, 8> image_base;  // PE32: u32 base of data, u32 image base; PE32+: u64
  Le<std::uint32_t> section_alignment, file_alignment;
  Le<std::uint16_t> major_os_version, minor_os_version, major_image_version, minor_image_version,
      major_subsystem_version, minor_subsystem_version;
  Le<std::uint32_t> win32_version, size_of_image, size_of_headers, check_sum;
  Le<std::uint16_t> subsystem, dll_characteristics;
};
static_assert(sizeof(OptionalHeaderStart) == 72 && alignof(OptionalHeaderStart) == 1);
inline constexpr std::uint16_t magic_pe32 = 0x10b;
inline constexpr std::uint16_t magic_pe32_plus = 0x20b;

struct DataDirectory {
  Le<std::uint32_t> address, size;  // an RVA, but a file offset for the certificate table
};
static_assert(sizeof(DataDirectory) == 8);
inline constexpr std::size_t directory_certificates = 4;
inline constexpr std::size_t directory_base_relocations = 5;
inline constexpr std::size_t directory_debug = 6;

struct SectionHeader {
  std::array<char, 8> name;
  Le<std::uint32_t> virtual_size, virtual_address, size_of_raw_data, pointer_to_raw_data,
      pointer_to_relocations, pointer_to_line_numbers;
  Le<std::uint16_t> number_of_relocations, number_of_line_numbers;
  Le<std::uint32_t> characteristics;
};
static_assert(sizeof(SectionHeader) == 40 && alignof(SectionHeader) == 1);

// Everything of the headers that anyone asks for, checked.
struct Headers {
  Machine machine{};
  bool plus = false;  // PE32+
  std::uint16_t section_count = 0;
  std::uint16_t subsystem = 0;
  std::uint16_t dll_characteristics = 0;
  std::uint16_t major_image_version = 0;
  std::uint32_t pointer_to_symbol_table = 0;
  std::uint32_t number_of_symbols = 0;
  Rva entry_point{};
  std::uint32_t section_alignment = 0;  // power of two
  std::uint32_t file_alignment = 0;     // power of two
  std::uint32_t size_of_image = 0;      // not 0
  std::uint32_t size_of_headers = 0;
  std::uint32_t directory_count = 0;  // 6 to 16
  std::uint64_t coff_offset = 0;      // of the CoffHeader
  std::uint64_t optional_offset = 0;  // of the optional header
  std::uint64_t directories_offset = 0;
  std::uint64_t table_offset = 0;  // of the section table
  std::uint64_t check_sum_offset = 0;
  DataDirectory certificates, base_relocations, debug;  // debug is zero if there is no entry 6

  std::uint64_t table_end() const {
    return table_offset + std::uint64_t{section_count} * sizeof(SectionHeader);
  }
  bool nx_compat() const { return (dll_characteristics & dll_nx_compat) != 0; }
};

struct Section {
  std::array<char, 8> name_bytes{};
  std::uint32_t index = 0;  // in the section table
  std::uint32_t virtual_size = 0;
  Rva virtual_address{};
  std::uint32_t raw_size = 0;
  FileOffset raw_pointer{};
  std::uint32_t relocations_pointer = 0;
  std::uint32_t characteristics = 0;

  // Up to the NUL, or all 8 bytes. Borrows from this object.
  std::string_view name() const {
    const std::string_view all(name_bytes.data(), name_bytes.size());
    return all.substr(0, all.find('\0'));
  }
  bool is_set() const { return virtual_size != 0; }
  bool executable() const { return (characteristics & section_execute) != 0; }
  // Made executable when a kernel is started in memory (stub.md 7.2).
  bool is_code() const {
    return is_set() && (characteristics & (section_execute | section_code)) != 0;
  }
  bool writable() const { return (characteristics & section_write) != 0; }
  // Bytes of the file that belong to the content; up to virtual_size it goes on with zeros.
  std::uint32_t stored_size() const { return raw_size < virtual_size ? raw_size : virtual_size; }
};

// The content of a section, virtual_size bytes long: what is stored, then zeros. In a loaded image
// everything is stored.
struct SectionData {
  Bytes stored;
  std::uint64_t zeros = 0;
  std::uint64_t size() const { return stored.size() + zeros; }
  // All of it, for an image that was loaded whole. Error: truncated, if there are zeros to add.
  Result<Bytes> in_memory() const {
    if (zeros != 0) return fail(Errc::truncated, "section is not wholly in memory", zeros);
    return stored;
  }
};

// How many bytes from the start of a file hold all headers with the section table, so that a reader
// of lists knows whether its first read sufficed. `start` must reach to the optional header; 4 KiB
// do for every real file. At most max_headers_size. Errors: truncated, malformed.
Result<std::uint64_t> headers_size(Bytes start);

class Image {
 public:
  // Checks the headers (stub.md 1.2; nothing about single sections). Of a file only the first
  // headers_size() bytes need to be there: sections are then listed, and their data is truncated.
  // Errors: truncated, malformed; unsupported: a machine that is not accepted.
  static Result<Image> parse(Bytes bytes, Layout layout, Accept accept = Accept::native);

  const Headers& headers() const { return headers_; }
  Layout layout() const { return layout_; }
  Bytes bytes() const { return bytes_; }

  // Header `index` < section_count of the table; nullopt if its ranges overflow or leave
  // SizeOfImage (such a section does not exist for anyone, stub.md 1.2).
  std::optional<Section> section(std::uint32_t index) const;

  // for (const pe::Section& section : image.sections()): those that exist, in table order.
  class Iterator {
   public:
    const Section& operator*() const { return section_; }
    const Section* operator->() const { return &section_; }
    Iterator& operator++() {
      ++next_;
      settle();
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.next_ == b.next_; }

   private:
    friend class Image;
    Iterator(const Image* image, std::uint32_t next, std::uint32_t last)
        : image_(image), next_(next), last_(last) {
      settle();
    }
    void settle();
    const Image* image_;
    std::uint32_t next_, last_;
    Section section_;
  };
  struct Sections {
    Iterator first, last;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
  };
  Sections sections() const { return sections(0, headers_.section_count); }
  // Those with first <= index < last. The image must outlive the iterators.
  Sections sections(std::uint32_t first, std::uint32_t last) const {
    return {Iterator(this, first, last), Iterator(this, last, last)};
  }

  // The first section of that name; it may have virtual_size 0.
  std::optional<Section> find(std::string_view name) const;
  // Error: truncated, if the bytes given to parse do not hold it.
  Result<SectionData> data(const Section& section) const;

  // No two sections share bytes of the image, none lies over the headers. Errors: malformed;
  // out_of_memory for a table that is not in ascending order.
  Result<> check_disjoint() const;

 private:
  Bytes bytes_;
  Layout layout_ = Layout::file;
  Headers headers_;
};

// A kernel image that can be started by copying its sections: every check of stub.md 7.1 and 7.2
// and of I-PE was passed, so that load_into cannot fail for lack of a check.
class Kernel {
 public:
  // `file` is the content of `.linux`, to be started on `machine`. Errors: unsupported, for a
  // kernel that expects another way of being started (image version below 1) or another machine
  // (and has no .compat entry for this one); malformed and truncated for all else that cannot be
  // started, base relocations included.
  static Result<Kernel> parse(Bytes file, Machine machine = native_machine);

  const Image& image() const { return image_; }
  std::uint32_t size_of_image() const { return image_.headers().size_of_image; }
  // For the allocation: at least 4 KiB.
  std::uint32_t alignment() const { return alignment_; }
  // Native entry point, for a foreign kernel the one of `.compat` (stub.md 7.5).
  Rva entry_point() const { return entry_point_; }
  // What `.compat` names for this machine, if anything: for when the firmware has loaded a foreign
  // kernel but does not start it (stub.md 7.3).
  std::optional<Rva> compat_entry() const { return compat_entry_; }
  bool nx_compat() const { return image_.headers().nx_compat(); }

  // Copies the sections to their places in `target` (size_of_image bytes) and zeroes all else.
  // Error: out_of_memory, if target has another size.
  Result<> load_into(MutableBytes target) const;

  // Page-rounded ranges that must be executable and read-only, for each of them
  // `apply(Rva start, std::uint64_t size)`, which returns a Result<>; the first error ends it.
  // With nx_compat no such page holds anything but code. (RVA, size) are multiples of 4 KiB.
  template <class Apply>
  Result<> for_each_code_range(Apply&& apply) const {
    for (const Section& section : image_.sections()) {
      if (!section.is_code() || !section.is_set()) continue;
      const std::uint64_t start = value(section.virtual_address) & ~(page_size - 1);
      const std::uint64_t end =
          std::uint64_t{value(section.virtual_address)} + section.virtual_size;
      auto done = apply(static_cast<Rva>(start), pages_for(end - start) * page_size);
      if (!done.has_value()) return fail(done.error());
    }
    return {};
  }

 private:
  Image image_;
  std::uint32_t alignment_ = 0;
  Rva entry_point_{};
  std::optional<Rva> compat_entry_;
};

// The entry point for `machine` that the `.compat` section of a kernel for another machine names
// (stub.md 7.5); nullopt without one.
std::optional<Rva> compat_entry(Bytes compat_section, Machine machine);

}  // namespace keelson::pe
