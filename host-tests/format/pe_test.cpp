// SPDX-License-Identifier: MIT
//
// Reading PE images (efi/format/pe.h): the bad inputs of I-PE, sections in both layouts, kernels.
#include "efi/format/pe.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "host-tests/format/sample_pe.h"

namespace keelson {
namespace {

using sample::Buffer;

sample::Pe two_sections() {
  sample::Pe pe;
  pe.sections = {
      {.name = ".text", .content = "code", .flags = pe::section_code | pe::section_execute},
      {.name = ".sdmagic", .content = "magic", .virtual_size = 0x20}};
  return pe;
}

// What must hold for whatever parse accepts.
void expect_invariants(const Buffer& bytes, pe::Layout layout) {
  const auto image = pe::Image::parse(bytes, layout, pe::Accept::any_machine);
  if (!image.has_value()) return;
  const pe::Headers& headers = image->headers();
  EXPECT_LE(headers.table_end(), bytes.size());
  EXPECT_GT(headers.section_count, 0);
  EXPECT_TRUE(std::has_single_bit(headers.section_alignment));
  std::uint32_t previous = 0;
  bool first = true;
  for (const pe::Section& section : image->sections()) {
    if (!first) EXPECT_GT(section.index, previous);
    first = false;
    previous = section.index;
    EXPECT_LE(std::uint64_t{pe::value(section.virtual_address)} + section.virtual_size,
              headers.size_of_image);
    const auto data = image->data(section);
    if (!data.has_value()) continue;
    EXPECT_EQ(data->size(), section.virtual_size);
    if (data->stored.empty()) continue;
    EXPECT_GE(data->stored.data(), bytes.data());
    EXPECT_LE(data->stored.data() + data->stored.size(), bytes.data() + bytes.size());
  }
  if (layout == pe::Layout::loaded) return;
  const auto kernel = pe::Kernel::parse(bytes);
  if (!kernel.has_value() || kernel->size_of_image() > 1_MiB) return;
  Buffer target(kernel->size_of_image(), std::byte{0xaa});
  EXPECT_TRUE(kernel->load_into(target).has_value());
  EXPECT_LT(pe::value(kernel->entry_point()), kernel->size_of_image());
  bool entry_in_code = false;
  const auto applied = kernel->for_each_code_range([&](pe::Rva at, std::uint64_t size) -> Result<> {
    EXPECT_EQ(pe::value(at) % page_size, 0u);
    EXPECT_EQ(size % page_size, 0u);
    if (pe::value(kernel->entry_point()) >= pe::value(at) &&
        pe::value(kernel->entry_point()) < pe::value(at) + size)
      entry_in_code = true;
    return {};
  });
  EXPECT_TRUE(applied.has_value());
  EXPECT_TRUE(entry_in_code);
}

TEST(PeHeaders, AreReadWhole) {
  const Buffer file = sample::make(two_sections());
  const auto image = pe::Image::parse(file, pe::Layout::file);
  ASSERT_TRUE(image.has_value());
  const pe::Headers& headers = image->headers();
  EXPECT_EQ(headers.machine, pe::native_machine);
  EXPECT_TRUE(headers.plus);
  EXPECT_TRUE(headers.nx_compat());
  EXPECT_EQ(headers.subsystem, 10);
  EXPECT_EQ(headers.entry_point, pe::Rva{0x1000});
  EXPECT_EQ(headers.table_offset, 0x40u + 24 + 240);
  EXPECT_EQ(headers.directories_offset, 0x40u + 24 + 112);
  EXPECT_EQ(headers.check_sum_offset, 0x40u + 24 + 64);
  EXPECT_EQ(*pe::headers_size(Bytes(file).first(0x100)), headers.table_end());
}

TEST(PeHeaders, BadOnesAreRefused) {
  struct Row {
    std::function<void(sample::Pe&)> spoil;
    std::optional<Errc> error;
    std::string_view reason;
  };
  const Row rows[] = {
      {[](auto&) {}, std::nullopt, "the sample itself"},
      {[](auto& pe) { pe.e_lfanew = 0x82; }, std::nullopt, "old kernels: not a multiple of 4"},
      {[](auto& pe) { pe.e_lfanew = 0x83; }, Errc::malformed, "I-PE 2: odd"},
      {[](auto& pe) { pe.machine = pe::Machine::aa64; }, Errc::unsupported, "I-PE 3: foreign"},
      {[](auto& pe) { pe.machine = static_cast<pe::Machine>(0x1234); }, Errc::unsupported,
       "I-PE 3: unknown"},
      {[](auto& pe) { pe.size_of_optional_header = 0; }, Errc::truncated, "I-PE 4: none"},
      {[](auto& pe) { pe.size_of_optional_header = 112 + 5 * 8; }, Errc::malformed,
       "I-PE 4: no directory 5"},
      {[](auto& pe) { pe.directory_count = 0; }, Errc::malformed, "I-PE 5: 0"},
      {[](auto& pe) { pe.directory_count = 5; }, Errc::malformed, "I-PE 5: one too few"},
      {[](auto& pe) { pe.directory_count = 6; }, std::nullopt, "just enough"},
      {[](auto& pe) { pe.directory_count = 17; }, Errc::malformed, "I-PE 5: one too many"},
      {[](auto& pe) { pe.directory_count = UINT32_MAX; }, Errc::malformed, "I-PE 5: huge"},
      {[](auto& pe) { pe.section_count = 0; }, Errc::malformed, "I-PE 6: none"},
      {[](auto& pe) { pe.section_count = 65535; }, Errc::truncated, "I-PE 6, 7: past the end"},
      {[](auto& pe) { pe.size_of_image = 0; }, Errc::malformed, "I-PE 16: 0"},
      {[](auto& pe) { pe.section_alignment = 0; }, Errc::malformed, "I-PE 17: 0"},
      {[](auto& pe) { pe.section_alignment = 3; }, Errc::malformed, "I-PE 17: no power of two"},
      {[](auto& pe) { pe.section_alignment = 1u << 31; }, Errc::malformed, "I-PE 17: 2^31"},
      {[](auto& pe) { pe.file_alignment = 0; }, Errc::malformed, "I-PE 17: 0 in the file"},
      {[](auto& pe) { pe.magic = pe::magic_pe32; }, Errc::malformed, "I-PE 19"},
      {[](auto& pe) { pe.magic = 0x107; }, Errc::malformed, "ROM image"},
      {[](auto& pe) { pe.subsystem = 11; }, std::nullopt, "I-PE 24: firmware decides"},
  };
  for (const Row& row : rows) {
    sample::Pe pe = two_sections();
    row.spoil(pe);
    const auto image = pe::Image::parse(sample::make(pe), pe::Layout::file);
    EXPECT_EQ(image.has_value(), !row.error.has_value()) << row.reason;
    if (!image.has_value() && row.error) EXPECT_EQ(image.error().code, *row.error) << row.reason;
  }
}

TEST(PeHeaders, OffsetOfTheHeader) {
  for (const std::uint32_t bad : {0u, 1u, 63u, 0xFFFFFFFFu, 0xFFFFFFFEu, 0x2000u}) {
    Buffer file = sample::make(two_sections());
    sample::put(file, 60, Le<std::uint32_t>(bad));
    EXPECT_FALSE(pe::Image::parse(file, pe::Layout::file).has_value()) << bad;
    EXPECT_FALSE(pe::headers_size(file).has_value()) << bad;
  }
}

TEST(PeHeaders, EveryPrefixParsesOrErrs) {
  const Buffer file = sample::make(two_sections());
  const auto whole = pe::Image::parse(file, pe::Layout::file);
  ASSERT_TRUE(whole.has_value());
  for (std::size_t size = 0; size <= file.size(); ++size) {
    const Buffer prefix(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(pe::Image::parse(prefix, pe::Layout::file).has_value(),
              size >= whole->headers().table_end())
        << size;
    expect_invariants(prefix, pe::Layout::file);
  }
}

TEST(PeHeaders, EveryBitFlipIsRefusedOrHarmless) {
  for (const sample::Pe& pe : {two_sections(), sample::kernel_pe()}) {
    const Buffer file = sample::make(pe);
    const std::size_t headers = 0x40 + 24 + 240 + 40 * pe.sections.size();
    for (std::size_t bit = 0; bit < headers * 8; ++bit) {
      Buffer flipped = file;
      flipped[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
      expect_invariants(flipped, pe::Layout::file);
      expect_invariants(flipped, pe::Layout::loaded);
    }
  }
}

TEST(PeSections, ThoseThatLeaveTheImageDoNotExist) {
  struct Row {
    sample::Section section;
    bool exists;
    std::string_view reason;
  };
  const Row rows[] = {
      {{.name = "x", .content = "c"}, true, "plain"},
      {{.name = "x", .content = "c", .virtual_size = 0}, true, "I-PE 8: empty, but it can mask"},
      {{.name = "x", .content = "c", .virtual_size = 0xFFFFFFFF}, false, "I-PE 8, 9: wraps"},
      {{.name = "x", .content = "c", .virtual_address = 0xFFFFFFFF}, false, "I-PE 9"},
      {{.name = "x", .content = "c", .virtual_size = 0x2001, .virtual_address = 0x1000},
       false,
       "I-PE 16: past SizeOfImage"},
      {{.name = "x", .content = "c", .raw_size = 0xFFFFFFFF}, false, "I-PE 10: wraps"},
      {{.name = "x", .content = "c", .raw_pointer = 0xFFFFFFFF}, false, "I-PE 10: wraps"},
  };
  for (const Row& row : rows) {
    sample::Pe pe;
    pe.size_of_image = 0x3000;
    pe.sections = {row.section, {.name = "last", .content = "l", .virtual_address = 0x2000}};
    const Buffer file = sample::make(pe);
    const auto image = pe::Image::parse(file, pe::Layout::file);
    ASSERT_TRUE(image.has_value()) << row.reason;
    EXPECT_EQ(image->section(0).has_value(), row.exists) << row.reason;
    EXPECT_EQ(image->find("x").has_value(), row.exists) << row.reason;
    EXPECT_TRUE(image->find("last").has_value()) << row.reason << ": others are not affected";
  }
}

TEST(PeSections, NamesAreComparedOverEightBytes) {
  sample::Pe pe;
  pe.sections = {{.name = "12345678", .content = "a"},
                 {.name = ".x", .content = "first"},
                 {.name = ".x", .content = "second"}};
  const Buffer file = sample::make(pe);
  const auto image = pe::Image::parse(file, pe::Layout::file);
  ASSERT_TRUE(image.has_value());
  EXPECT_TRUE(image->find("12345678").has_value()) << "I-PE 15: no NUL";
  EXPECT_FALSE(image->find("1234567").has_value());
  EXPECT_EQ(text_of(image->data(*image->find(".x"))->stored), "first") << "I-PE 14";
}

TEST(PeSections, DataInBothLayouts) {
  sample::Pe pe;
  pe.sections = {{.name = "short", .content = "abc", .virtual_size = 0x1000},
                 {.name = "long", .content = "abcdef", .virtual_size = 3},
                 {.name = "bss", .content = "", .virtual_size = 0x10}};
  const Buffer file = sample::make(pe);
  const auto image = pe::Image::parse(file, pe::Layout::file);
  ASSERT_TRUE(image.has_value());
  const auto data = [&](std::string_view name) { return *image->data(*image->find(name)); };
  EXPECT_EQ(data("short").stored.size(), 0x200u);
  EXPECT_EQ(data("short").zeros, 0xE00u) << "the zero tail belongs to the content";
  EXPECT_EQ(text_of(data("long").stored), "abc") << "I-PE 11: only VirtualSize bytes count";
  EXPECT_EQ(data("bss").zeros, 0x10u);

  const Buffer memory = sample::load(file);
  const auto loaded = pe::Image::parse(memory, pe::Layout::loaded);
  ASSERT_TRUE(loaded.has_value());
  for (const std::string_view name : {"short", "long", "bss"}) {
    const auto stored = loaded->data(*loaded->find(name));
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(stored->zeros, 0u);
    EXPECT_EQ(stored->stored.size(), data(name).size()) << name;
    EXPECT_EQ(text_of(stored->stored.first(data(name).stored.size())), text_of(data(name).stored));
  }
  const auto half = pe::Image::parse(Bytes(memory).first(0x1800), pe::Layout::loaded);
  ASSERT_TRUE(half.has_value());
  EXPECT_EQ(half->data(*half->find("long")).error().code, Errc::truncated);
}

TEST(PeSections, Disjoint) {
  using S = sample::Section;
  struct Row {
    std::vector<S> sections;
    bool good;
    std::string_view reason;
  };
  const Row rows[] = {
      {{S{"a", "1"}, S{"b", "2"}}, true, "ascending"},
      {{S{.name = "a", .content = "1", .virtual_address = 0x3000},
        S{.name = "b", .content = "2", .virtual_address = 0x1000}},
       true,
       "descending"},
      {{S{.name = "a", .content = "1", .virtual_size = 0x1001, .virtual_address = 0x1000},
        S{.name = "b", .content = "2", .virtual_address = 0x2000}},
       false,
       "I-PE 13: by one byte"},
      {{S{.name = "a", .content = "1", .virtual_address = 0x3000},
        S{.name = "b", .content = "2", .virtual_size = 0x10, .virtual_address = 0x1000},
        S{.name = "c", .content = "3", .virtual_size = 0x10, .virtual_address = 0x100F}},
       false,
       "I-PE 13: out of order"},
      {{S{.name = "a", .content = "1", .virtual_size = 0x1000, .virtual_address = 0x1000},
        S{.name = "b", .content = "2", .virtual_size = 0, .virtual_address = 0x1800}},
       true,
       "an empty one covers nothing"},
      {{S{.name = "a", .content = "1", .virtual_address = 0x100}}, false, "I-PE 12"},
      {{S{.name = "a", .content = "1", .virtual_address = 0}}, false, "I-PE 12"},
  };
  for (const Row& row : rows) {
    sample::Pe pe;
    pe.sections = row.sections;
    pe.size_of_image = 0x8000;
    const Buffer file = sample::make(pe);
    const auto image = pe::Image::parse(file, pe::Layout::file);
    ASSERT_TRUE(image.has_value()) << row.reason;
    EXPECT_EQ(image->check_disjoint().has_value(), row.good) << row.reason;
  }
}

TEST(PeKernel, IsCopiedAsItSays) {
  const Buffer file = sample::make(sample::kernel_pe());
  const auto kernel = pe::Kernel::parse(file);
  ASSERT_TRUE(kernel.has_value()) << kernel.error().what;
  EXPECT_EQ(kernel->entry_point(), pe::Rva{0x2010});
  EXPECT_EQ(kernel->alignment(), 0x1000u);
  EXPECT_TRUE(kernel->nx_compat());
  Buffer target(kernel->size_of_image(), std::byte{0xaa});
  ASSERT_TRUE(kernel->load_into(target).has_value());
  const std::string text = sample::text(target);
  EXPECT_EQ(text.substr(0, 0x1000), std::string(0x1000, '\0')) << "headers are not copied";
  EXPECT_EQ(text.substr(0x1000, 0x400), std::string(0x400, 's'));
  EXPECT_EQ(text.substr(0x1400, 0xC00), std::string(0xC00, '\0'));
  EXPECT_EQ(text.substr(0x2000, 0x1234), std::string(0x1234, 't'));
  EXPECT_EQ(text.substr(0x4000, 0x10), std::string(0x10, 'd'));
  EXPECT_EQ(text.substr(0x4010), std::string(text.size() - 0x4010, '\0'));
  Buffer small(kernel->size_of_image() - 1);
  EXPECT_FALSE(kernel->load_into(small).has_value());

  std::vector<std::pair<std::uint32_t, std::uint64_t>> ranges;
  ASSERT_TRUE(kernel
                  ->for_each_code_range([&](pe::Rva at, std::uint64_t size) -> Result<> {
                    ranges.emplace_back(pe::value(at), size);
                    return {};
                  })
                  .has_value());
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0], std::pair(0x2000u, std::uint64_t{0x2000}));
  const auto refused = kernel->for_each_code_range(
      [](pe::Rva, std::uint64_t) -> Result<> { return fail(Errc::firmware, "refused"); });
  EXPECT_FALSE(refused.has_value());
}

TEST(PeKernel, ASectionWithoutDataMayPointAnywhere) {
  sample::Pe pe = sample::kernel_pe();
  pe.sections.push_back({.name = ".bss",
                         .content = {},
                         .virtual_size = 0x100,
                         .raw_size = 0,
                         .raw_pointer = 0x7fff'0000});
  const Buffer file = sample::make(pe);
  const auto kernel = pe::Kernel::parse(file);
  ASSERT_TRUE(kernel.has_value()) << kernel.error().what;
  Buffer target(kernel->size_of_image(), std::byte{0xaa});
  ASSERT_TRUE(kernel->load_into(target).has_value());
  const auto bss = kernel->image().find(".bss");
  ASSERT_TRUE(bss.has_value());
  EXPECT_EQ(sample::text(target).substr(pe::value(bss->virtual_address), 0x100),
            std::string(0x100, '\0'));
}

TEST(PeKernel, AnEmptyCodeSectionIsNoRangeOfPages) {
  sample::Pe pe = sample::kernel_pe();
  pe.sections.push_back({.name = ".inittext",
                         .content = {},
                         .flags = pe::section_code | pe::section_execute | pe::section_read,
                         .raw_size = 0});
  const Buffer file = sample::make(pe);
  const auto kernel = pe::Kernel::parse(file);
  ASSERT_TRUE(kernel.has_value()) << kernel.error().what;
  int ranges = 0;
  const auto applied = kernel->for_each_code_range([&](pe::Rva, std::uint64_t size) -> Result<> {
    EXPECT_NE(size, 0u);
    ++ranges;
    return {};
  });
  EXPECT_TRUE(applied.has_value());
  EXPECT_EQ(ranges, 1);
}

TEST(PeKernel, WhatCannotBeStartedInMemory) {
  struct Row {
    std::function<void(sample::Pe&)> spoil;
    std::optional<Errc> error;
    std::string_view reason;
  };
  const Row rows[] = {
      {[](auto& pe) { pe.major_image_version = 0; }, Errc::unsupported, "before 5.8"},
      {[](auto& pe) { pe.machine = pe::Machine::aa64; }, Errc::unsupported, "foreign"},
      {[](auto& pe) { pe.base_relocations.size = 8; }, Errc::malformed, "I-PE 20"},
      {[](auto& pe) { pe.sections[0].name = ".reloc"; }, std::nullopt,
       "old x86 kernels have a section of that name, and no directory"},
      {[](auto& pe) { pe.sections[1].relocations_pointer = 4; }, Errc::malformed, "I-PE 20"},
      {[](auto& pe) { pe.sections[0].raw_size = 0x600; }, Errc::malformed,
       "I-PE 11: raw > virtual"},
      {[](auto& pe) { pe.sections[2].raw_pointer = 0x10000; }, Errc::truncated, "I-PE 10"},
      {[](auto& pe) { pe.size_of_image = 0x6000; }, Errc::malformed, "I-PE 16: < last section"},
      {[](auto& pe) { pe.sections[1].virtual_address = 0x1000; }, Errc::malformed, "I-PE 13"},
      {[](auto& pe) { pe.sections[0].virtual_address = 0; }, Errc::malformed, "I-PE 12"},
      {[](auto& pe) { pe.entry_point = 0; }, Errc::malformed, "I-PE 18: 0"},
      {[](auto& pe) { pe.entry_point = 0x1000; }, Errc::malformed, "I-PE 18: in data"},
      {[](auto& pe) { pe.entry_point = 0x3234; }, Errc::malformed, "I-PE 18: behind the code"},
      {[](auto& pe) { pe.entry_point = 0x3233; }, std::nullopt, "its last byte"},
      {[](auto& pe) { pe.entry_point = 0x80000000; }, Errc::malformed, "I-PE 18: outside"},
      {[](auto& pe) { pe.sections[1].flags |= pe::section_write; }, Errc::malformed,
       "writable code under NX"},
      {[](auto& pe) {
         pe.sections[1].flags |= pe::section_write;
         pe.dll_characteristics = 0;
       },
       std::nullopt, "writable code without NX"},
      {[](auto& pe) {
         pe.sections[0].virtual_size = 0x1000 - 0x10;
         pe.sections[0].raw_size = 0x400;
         pe.sections[2].virtual_address = 0x3240;
       },
       Errc::malformed, "code and data in one page under NX"},
      {[](auto& pe) {
         pe.sections[2].virtual_address = 0x3240;
         pe.dll_characteristics = 0;
       },
       std::nullopt, "the same without NX"},
      {[](auto& pe) { pe.section_alignment = 0x200; }, Errc::malformed,
       "NX_COMPAT without page alignment"},
  };
  for (const Row& row : rows) {
    sample::Pe pe = sample::kernel_pe();
    row.spoil(pe);
    const auto kernel = pe::Kernel::parse(sample::make(pe));
    EXPECT_EQ(kernel.has_value(), !row.error.has_value())
        << row.reason << (kernel.has_value() ? "" : kernel.error().what);
    if (!kernel.has_value() && row.error) EXPECT_EQ(kernel.error().code, *row.error) << row.reason;
  }
}

// A kernel with a `.compat` record for this machine, with the entry point `low` + 0x2000.
sample::Pe kernel_with_compat(pe::Machine machine, char low) {
  sample::Pe pe = sample::kernel_pe();
  pe.machine = machine;
  const auto native = static_cast<std::uint16_t>(pe::native_machine);
  std::string record = {
      1, 8, static_cast<char>(native & 0xff), static_cast<char>(native >> 8), low, 0x20, 0, 0};
  pe.sections.insert(
      pe.sections.begin() + 1,
      {.name = ".compat", .content = record, .virtual_address = 0x1800, .raw_size = 8});
  pe.sections[2].virtual_address = 0x2000;
  return pe;
}
constexpr pe::Machine foreign_machine =
    pe::native_machine == pe::Machine::aa64 ? pe::Machine::x64 : pe::Machine::aa64;

TEST(PeKernel, MixedModeTakesTheCompatEntry) {
  const auto foreign = pe::Kernel::parse(sample::make(kernel_with_compat(foreign_machine, 0x20)));
  ASSERT_TRUE(foreign.has_value()) << foreign.error().what;
  EXPECT_EQ(foreign->entry_point(), pe::Rva{0x2020});
  EXPECT_EQ(foreign->compat_entry(), pe::Rva{0x2020});
  const auto native = pe::Kernel::parse(sample::make(kernel_with_compat(pe::native_machine, 0x20)));
  ASSERT_TRUE(native.has_value()) << native.error().what;
  EXPECT_EQ(native->entry_point(), pe::Rva{0x2010}) << "its own";
  EXPECT_EQ(native->compat_entry(), pe::Rva{0x2020});
  EXPECT_FALSE(pe::Kernel::parse(sample::make(sample::kernel_pe()))->compat_entry().has_value());
}

TEST(PeKernel, ACompatEntryOutsideTheCodeIsRefused) {
  for (const pe::Machine machine : {foreign_machine, pe::native_machine}) {
    sample::Pe pe = kernel_with_compat(machine, 0x20);
    pe.sections[1].content[5] = 0x10;  // in .setup
    const auto kernel = pe::Kernel::parse(sample::make(pe));
    ASSERT_FALSE(kernel.has_value());
    EXPECT_EQ(kernel.error().code, Errc::malformed);
  }
}

TEST(PeKernel, CompatRecords) {
  struct Row {
    std::string bytes;
    std::optional<std::uint32_t> entry;
    std::string_view reason;
  };
  const std::string x64("\x01\x08\x64\x86\x10\x20\x00\x00", 8);
  const std::string ia32("\x01\x08\x4c\x01\x30\x40\x00\x00", 8);
  const Row rows[] = {
      {x64, 0x2010, "one record"},
      {ia32 + x64, 0x2010, "the second one is ours"},
      {ia32, std::nullopt, "not ours"},
      {"", std::nullopt, "empty"},
      {std::string("\x01", 1), std::nullopt, "cut"},
      {std::string("\x01\x00", 2) + x64, std::nullopt, "I-PE 21: size 0 ends it"},
      {std::string("\x00\x08\0\0\0\0\0\0", 8) + x64, std::nullopt, "type 0 ends it"},
      {std::string("\x01\x09\x64\x86\x10\x20\x00\x00", 8), std::nullopt, "longer than the rest"},
      {std::string("\x01\x07\x64\x86\x10\x20\x00", 7) + x64, 0x2010,
       "too short a record is passed"},
      {std::string("\x02\x03\x00", 3) + x64, 0x2010, "another type is passed"},
  };
  for (const Row& row : rows) {
    const auto entry = pe::compat_entry(bytes_of(row.bytes), pe::Machine::x64);
    EXPECT_EQ(entry.has_value(), row.entry.has_value()) << row.reason;
    if (entry && row.entry) EXPECT_EQ(pe::value(*entry), *row.entry) << row.reason;
  }
}

}  // namespace
}  // namespace keelson
