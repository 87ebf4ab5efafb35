// SPDX-License-Identifier: MIT
//
// Writing PE files (linker/pe_writer.h): what is written is read back, what must not be written is
// refused by name.
#include "linker/pe_writer.h"

#include <gtest/gtest.h>

#include <functional>

#include "host-tests/format/sample_pe.h"

namespace keelson {
namespace {

using linker::PeWriter;
using sample::Buffer;
using Replaced = PeWriter::Replaced;

sample::Pe stub() {
  sample::Pe pe;
  pe.size_of_headers = 0x400;
  pe.sections = {
      {.name = ".text",
       .content = "code",
       .flags = pe::section_code | pe::section_execute | pe::section_read},
      {.name = ".sbat",
       .content = std::string(0x100, 'b') + std::string(0x200, '\0'),
       .virtual_size = 0x100},
      {.name = ".sdmagic", .content = "magic"},
  };
  return pe;
}

struct Read {
  std::string name, content;
  std::uint32_t address;
  friend bool operator==(const Read&, const Read&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Read& read) {
    return out << read.name << '@' << read.address << ':' << read.content.size();
  }
};
std::vector<Read> read(Bytes file) {
  std::vector<Read> all;
  const auto image = pe::Image::parse(file, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value()) return all;
  for (const pe::Section& section : image->sections()) {
    const auto data = image->data(section);
    all.push_back({std::string(section.name()),
                   data.has_value() ? std::string(text_of(data->stored)) : "(truncated)",
                   pe::value(section.virtual_address)});
  }
  return all;
}

TEST(PeWriter, UnchangedImageStaysAsItWas) {
  const Buffer file = sample::make(stub());
  const auto writer = PeWriter::open(file);
  ASSERT_TRUE(writer.has_value()) << writer.error().text();
  const auto written = writer->write();
  ASSERT_TRUE(written.has_value()) << written.error().text();
  EXPECT_TRUE(*written == file);
}

TEST(PeWriter, AddedSectionsAreLaidOutByTheRules) {
  const Buffer file = sample::make(stub());
  auto writer = PeWriter::open(file);
  ASSERT_TRUE(writer.has_value());
  const std::string kernel(0x1801, 'k');
  ASSERT_TRUE(writer->add(".osrel", bytes_of(std::string_view("os")), linker::data_section_flags)
                  .has_value());
  ASSERT_TRUE(writer->add(".cmdline", {}, linker::data_section_flags).has_value());
  ASSERT_TRUE(writer->add(".linux", bytes_of(kernel), linker::kernel_section_flags).has_value());
  ASSERT_TRUE(writer->add(".linux", bytes_of(kernel), linker::kernel_section_flags).has_value());
  const auto written = writer->write();
  ASSERT_TRUE(written.has_value()) << written.error().text();

  const auto image = pe::Image::parse(*written, pe::Layout::file);
  ASSERT_TRUE(image.has_value());
  const auto osrel = image->find(".osrel");
  const auto empty = image->find(".cmdline");
  const auto linux = image->find(".linux");
  ASSERT_TRUE(osrel && empty && linux);
  EXPECT_EQ(osrel->virtual_size, 2u) << "exact";
  EXPECT_EQ(osrel->raw_size, 0x200u) << "rounded to FileAlignment";
  EXPECT_EQ(pe::value(osrel->virtual_address), 0x4000u) << "next SectionAlignment";
  EXPECT_EQ(osrel->characteristics, 0x40000040u);
  EXPECT_EQ(empty->virtual_size, 0u) << "masks";
  EXPECT_EQ(pe::value(empty->raw_pointer), 0u);
  EXPECT_EQ(pe::value(linux->virtual_address), 0x5000u);
  EXPECT_EQ(linux->characteristics, 0x40000020u);
  EXPECT_EQ(pe::value(linux->raw_pointer) % 0x200, 0u);
  EXPECT_EQ(image->headers().size_of_image, 0x9000u);
  EXPECT_EQ(read(*written).back(), (Read{".linux", kernel, 0x7000}));
  EXPECT_EQ(written->size() % 0x200, 0u);
  const std::size_t data_size = 0x40 + 24 + 8;
  EXPECT_EQ(static_cast<std::uint32_t>(*load<Le<std::uint32_t>>(*written, data_size, "")),
            2u + 2 * 0x1801)
      << "SizeOfInitializedData grows by what was added";
}

TEST(PeWriter, WhatIsRefusedToOpen) {
  struct Row {
    std::function<void(sample::Pe&)> spoil;
    std::string_view subject, text;
  };
  const Row rows[] = {
      {[](auto& pe) { pe.certificates.address = 0x400, pe.certificates.size = 8; }, "", "signed"},
      {[](auto& pe) { pe.sections[1].virtual_address = 0x1000; }, ".sbat", "overlap"},
      {[](auto& pe) { pe.sections[1].virtual_address = 0x10; }, ".sbat", "overlap"},
      {[](auto& pe) { pe.sections[2].raw_size = 0x10000; }, ".sdmagic", "past the end"},
      {[](auto& pe) { pe.sections[2].raw_pointer = 0x400; }, "", "share bytes"},
      {[](auto& pe) { pe.sections[0].raw_pointer = 0; }, "", "share bytes"},
      {[](auto& pe) { pe.size_of_image = 0x3000; }, ".sdmagic", "outside the image"},
      {[](auto& pe) { pe.size_of_headers = 0x80; }, "", "SizeOfHeaders"},
  };
  for (const Row& row : rows) {
    sample::Pe pe = stub();
    row.spoil(pe);
    const auto writer = PeWriter::open(sample::make(pe));
    ASSERT_FALSE(writer.has_value()) << row.text;
    EXPECT_EQ(writer.error().subject, row.subject) << writer.error().text();
    EXPECT_NE(writer.error().text().find(row.text), std::string::npos) << writer.error().text();
  }
  Buffer trailing = sample::make(stub());
  trailing.resize(trailing.size() + 8);
  EXPECT_TRUE(PeWriter::open(trailing).has_value()) << "zeros behind the sections";
  trailing.back() = std::byte{1};
  EXPECT_FALSE(PeWriter::open(trailing).has_value()) << "data behind the sections";
}

TEST(PeWriter, SymbolTableAtTheEndIsDropped) {
  Buffer file = sample::make(stub());
  const std::size_t sections_end = file.size();
  sample::put(file, 0x40 + 4 + 8, Le<std::uint32_t>(static_cast<std::uint32_t>(sections_end)));
  sample::put(file, 0x40 + 4 + 12, Le<std::uint32_t>(3));
  file.resize(sections_end + 3 * 18, std::byte{'s'});
  const auto writer = PeWriter::open(file);
  ASSERT_TRUE(writer.has_value()) << writer.error().text();
  const auto written = writer->write();
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(written->size(), sections_end);
  EXPECT_EQ(pe::Image::parse(*written, pe::Layout::file)->headers().number_of_symbols, 0u);
}

TEST(PeWriter, Replacing) {
  struct Row {
    std::size_t size;
    std::uint32_t next_address;
    Replaced how;
    std::string_view reason;
  };
  const Row rows[] = {
      {0x400, 0x3000, Replaced::in_place, "all of its raw room"},
      {0x20, 0x3000, Replaced::in_place, "VirtualSize shrinks"},
      {0, 0x3000, Replaced::in_place, "nothing left"},
      {0x401, 0x3000, Replaced::grown, "more raw room, same address"},
      {0x1000, 0x3000, Replaced::grown, "up to the next section"},
      {0x1001, 0x3000, Replaced::moved, "no address room"},
      {0x101, 0x2100, Replaced::moved, "a stub whose sections lie close"},
  };
  for (const Row& row : rows) {
    sample::Pe pe = stub();
    pe.section_alignment = 0x100;
    pe.sections[2].virtual_address = row.next_address;
    const Buffer file = sample::make(pe);
    auto writer = PeWriter::open(file);
    ASSERT_TRUE(writer.has_value()) << writer.error().text();
    const std::string content(row.size, 'n');
    const auto how = writer->replace(".sbat", bytes_of(content));
    ASSERT_TRUE(how.has_value()) << row.reason << how.error().text();
    EXPECT_EQ(*how, row.how) << row.reason;
    const auto written = writer->write();
    ASSERT_TRUE(written.has_value()) << written.error().text();
    const auto image = pe::Image::parse(*written, pe::Layout::file);
    ASSERT_TRUE(image.has_value());
    ASSERT_EQ(image->headers().section_count, 3);
    const auto sbat = image->find(".sbat");
    ASSERT_TRUE(sbat.has_value());
    EXPECT_EQ(sbat->virtual_size, row.size) << row.reason;
    EXPECT_EQ(text_of(image->data(*sbat)->stored), content) << row.reason;
    EXPECT_EQ(text_of(image->data(*image->find(".sdmagic"))->stored), "magic");
    EXPECT_EQ(pe::value(sbat->virtual_address) == 0x2000, row.how != Replaced::moved);
  }
  const Buffer file = sample::make(stub());
  auto writer = PeWriter::open(file);
  EXPECT_EQ(writer->replace(".none", {}).error().error.code, Errc::not_found);
}

TEST(PeWriter, FillingKeepsTheLengthOfTheFile) {
  const Buffer empty = sample::make(stub());
  auto made = PeWriter::open(empty);
  ASSERT_TRUE(made.has_value());
  const std::string long_text(700, 'a'), other(1024, 'b');
  ASSERT_TRUE(made->add(".x", bytes_of(long_text), linker::data_section_flags).has_value());
  ASSERT_TRUE(made->add(".x", bytes_of(other), linker::data_section_flags).has_value());
  const auto file = made->write();
  ASSERT_TRUE(file.has_value());

  auto writer = PeWriter::open(*file);
  ASSERT_TRUE(writer.has_value());
  const std::size_t second = writer->sections().size() - 1;
  const std::string shorter = "short", grown(1024, 'g');
  ASSERT_TRUE(writer->fill(second, bytes_of(shorter)).has_value());
  ASSERT_TRUE(
      writer->fill(second - 1, bytes_of(grown)).has_value());  // raw room: two blocks of 512
  const std::string too_long(1025, 'x');
  const auto refused = writer->fill(second, bytes_of(too_long));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().text(), ".x: no room for the new content");
  const auto written = writer->write();
  ASSERT_TRUE(written.has_value()) << written.error().text();
  EXPECT_EQ(written->size(), file->size());
  const auto sections = read(*written);
  EXPECT_EQ(sections[second - 1].content, grown);
  EXPECT_EQ(sections[second].content, shorter);
}

TEST(PeWriter, HeadersGrowUntilTheFirstSectionIsInTheWay) {
  const Buffer file = sample::make(stub());
  auto writer = PeWriter::open(file);
  ASSERT_TRUE(writer.has_value());
  // Table at 0x148; the first section's address is 0x1000: room for 94 headers.
  int added = 0;
  auto last = writer->add("x", {}, linker::data_section_flags);
  while (last.has_value() && added < 1000) {
    ++added;
    last = writer->add("x", bytes_of(std::string_view("x")), linker::data_section_flags);
  }
  EXPECT_EQ(added, (0x1000 - 0x148) / 40 - 3);
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().text(), "x: no room for another section header");
  const auto written = writer->write();
  ASSERT_TRUE(written.has_value()) << written.error().text();
  EXPECT_EQ(read(*written).size(), static_cast<std::size_t>(added + 3));
  EXPECT_EQ(read(*written).front().content, "code");
}

TEST(PeWriter, Repacking) {
  sample::Pe pe = stub();
  pe.file_alignment = 0x1000;
  pe.size_of_headers = 0x1000;
  const Buffer file = sample::make(pe);
  auto writer = PeWriter::open(file);
  ASSERT_TRUE(writer.has_value()) << writer.error().text();
  ASSERT_TRUE(writer->reserve(".sbat", 0x400).has_value());
  ASSERT_TRUE(writer->repack({.file_alignment = 0x200, .size_of_headers = 0xA00}).has_value());
  const auto written = writer->write();
  ASSERT_TRUE(written.has_value()) << written.error().text();
  EXPECT_EQ(read(*written), read(file)) << "no content or address changes";
  const auto image = pe::Image::parse(*written, pe::Layout::file);
  EXPECT_EQ(image->headers().file_alignment, 0x200u);
  EXPECT_EQ(image->headers().size_of_headers, 0xA00u);
  EXPECT_EQ(pe::value(image->find(".text")->raw_pointer), 0xA00u);
  EXPECT_EQ(image->find(".sbat")->raw_size, 0x400u) << "room was reserved";
  EXPECT_EQ(image->find(".sbat")->virtual_size, 0x100u);
  EXPECT_EQ(written->size(), 0xA00u + 0x200 + 0x400 + 0x200);

  EXPECT_FALSE(writer->repack({.file_alignment = 0x300}).has_value());
  EXPECT_FALSE(writer->repack({.size_of_headers = 0x1200}).has_value()) << "over the first section";
  EXPECT_FALSE(writer->repack({.file_alignment = 8, .size_of_headers = 0x80}).has_value());

  sample::Pe with_debug = stub();
  with_debug.debug.address = 0x1000;
  with_debug.debug.size = 28;
  const Buffer debug_file = sample::make(with_debug);
  auto debug = PeWriter::open(debug_file);
  ASSERT_TRUE(debug.has_value());
  EXPECT_FALSE(debug->repack({}).has_value()) << "file offsets in it would go stale";
}

TEST(PeWriter, NamesAndFlags) {
  const Buffer file = sample::make(stub());
  auto writer = PeWriter::open(file);
  for (const std::string_view bad : {"", "123456789", "a b", "\x01", "\xc3\xa4"})
    EXPECT_FALSE(writer->add(bad, {}, 0).has_value()) << bad;
  EXPECT_TRUE(writer->add("12345678", {}, linker::data_section_flags).has_value());
  EXPECT_TRUE(writer->has("12345678"));
  writer->clear_nx_compat();
  const auto written = writer->write();
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(pe::Image::parse(*written, pe::Layout::file)->headers().dll_characteristics, 0x60);
}

TEST(PeWriter, EveryPrefixAndBitFlipIsRefusedOrGivesASoundImage) {
  const Buffer file = sample::make(stub());
  const auto attempt = [](const Buffer& bytes) {
    auto writer = PeWriter::open(bytes);
    if (!writer.has_value()) return;
    if (!writer->add(".new", bytes_of(std::string_view("new")), linker::data_section_flags)
             .has_value())
      return;
    const auto written = writer->write();
    if (!written.has_value()) return;
    ASSERT_LT(written->size(), 64_MiB);
    const auto image = pe::Image::parse(*written, pe::Layout::file, pe::Accept::any_machine);
    ASSERT_TRUE(image.has_value());
    EXPECT_TRUE(image->check_disjoint().has_value());
    ASSERT_TRUE(image->find(".new").has_value());
  };
  for (std::size_t size = 0; size < file.size(); size += 7)
    attempt(Buffer(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
  for (std::size_t bit = 0; bit < (0x148 + 3 * 40) * 8; ++bit) {
    Buffer flipped = file;
    flipped[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    attempt(flipped);
  }
}

}  // namespace
}  // namespace keelson
