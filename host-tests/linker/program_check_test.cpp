// SPDX-License-Identifier: MIT
// The rules for finished programs: a sound one passes, and each rule refuses what breaks it.
#include "linker/program_check.h"

#include <functional>
#include <ostream>

#include <gtest/gtest.h>

#include "host-tests/format/sample_pe.h"

namespace keelson::linker {
namespace {

constexpr std::string_view sbat =
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
    "sample,1,Sample,sample,1,https://sample.invalid/\n";
constexpr std::uint32_t code = pe::section_code | pe::section_execute | pe::section_read;

sample::Pe sound_program() {
  sample::Pe program;
  program.entry_point = 0x1010;
  program.size_of_headers = 0x600;
  program.base_relocations.address = 0x3000;
  program.base_relocations.size = 12;
  program.sections = {
      {.name = ".text", .content = std::string(0x100, 't'), .flags = code},
      {.name = ".sbat",
       .content = std::string(sbat) + std::string(600, '\0'),
       .virtual_size = static_cast<std::uint32_t>(sbat.size())},
      {.name = ".reloc", .content = std::string(12, '\0')},
  };
  return program;
}

struct Row {
  const char* name;
  std::function<void(sample::Pe&)> change;
  std::string_view says;  // part of the message; empty: it passes
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

void set_sbat(sample::Pe& program, std::string text) {
  program.sections[1].virtual_size = static_cast<std::uint32_t>(text.size());
  program.sections[1].content = text + std::string(600, '\0');
}

const Row rows[] = {
    {"sound", [](auto&) {}, ""},
    {"subsystem", [](auto& p) { p.subsystem = 11; }, "not an EFI application"},
    {"no_nx", [](auto& p) { p.dll_characteristics = 0x60; }, "0x160"},
    {"terminal_server_flag", [](auto& p) { p.dll_characteristics = 0x8160; }, "0x160"},
    {"small_sections", [](auto& p) { p.section_alignment = 0x800; }, "aligned"},
    {"file_alignment",
     [](auto& p) {
       p.file_alignment = 0x1000;
       p.size_of_headers = 0x1000;
     },
     "FileAlignment"},
    {"debug",
     [](auto& p) {
       p.debug.address = 0x1000;
       p.debug.size = 28;
     },
     "debug"},
    {"no_relocations", [](auto& p) { p.base_relocations = {}; }, "base relocations"},
    {"little_room", [](auto& p) { p.size_of_headers = 0x400; }, "too little room"},
    {"writable_code", [](auto& p) { p.sections[0].flags = code | pe::section_write; },
     "writable and executable"},
    {"entry_in_data", [](auto& p) { p.entry_point = 0x2000; }, "outside of its code"},
    {"entry_behind_code", [](auto& p) { p.entry_point = 0x1100; }, "outside of its code"},
    {"no_reloc_section", [](auto& p) { p.sections[2].name = ".other"; }, ".reloc"},
    {"constructors",
     [](auto& p) {
       p.sections.insert(p.sections.begin() + 1,
                         {.name = ".ctors", .content = std::string(8, '\1')});
     },
     "never run"},
    {"overlap", [](auto& p) { p.sections[1].virtual_address = 0x1080; }, ""},
    {"no_sbat", [](auto& p) { p.sections[1].name = ".other"; }, ".sbat: is missing"},
    {"sbat_last", [](auto& p) { std::swap(p.sections[1], p.sections[2]); }, "last section"},
    {"sbat_without_room", [](auto& p) { p.sections[1].content = sbat; }, "too little room"},
    {"sbat_without_component",
     [](auto& p) { set_sbat(p, std::string(sbat.substr(0, sbat.find('\n') + 1))); },
     "names no component"},
    {"sbat_unfinished", [](auto& p) { set_sbat(p, std::string(sbat) + "more,1"); }, "has no end"},
    {"sbat_other_header", [](auto& p) { set_sbat(p, "sbat,2\nsample,1\n"); }, "own line"},
    {"sbat_with_nul", [](auto& p) { set_sbat(p, std::string(sbat) + std::string("a\0b\n", 4)); },
     "ASCII"},
    {"sbat_with_cr", [](auto& p) { set_sbat(p, std::string(sbat) + "a,1\r\n"); }, "ASCII"},
};

class ProgramCheck : public testing::TestWithParam<Row> {};

TEST_P(ProgramCheck, Rule) {
  auto program = sound_program();
  GetParam().change(program);
  const auto file = sample::make(program);
  const auto checked = check_program(file, {.spare_section_headers = 15});
  const bool passes = GetParam().name == std::string_view("sound");
  ASSERT_EQ(checked.has_value(), passes) << (passes ? checked.error().text() : "");
  if (!passes)
    EXPECT_NE(checked.error().text().find(GetParam().says), std::string::npos)
        << checked.error().text();
}

INSTANTIATE_TEST_SUITE_P(All, ProgramCheck, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ProgramCheck, EveryPrefixIsRefused) {
  const auto file = sample::make(sound_program());
  ASSERT_TRUE(check_program(file, {}).has_value());
  for (std::size_t size = 0; size < file.size(); ++size)
    ASSERT_FALSE(check_program(Bytes(file).first(size), {}).has_value()) << size;
}

TEST(ProgramCheck, TheBaseOfAddonsHasNoSbat) {
  auto program = sound_program();
  const ProgramRules rules{.spare_section_headers = 15, .has_sbat = false};
  EXPECT_FALSE(check_program(sample::make(program), rules).has_value());
  program.sections[1].name = ".other";
  EXPECT_TRUE(check_program(sample::make(program), rules).has_value());
}

}  // namespace
}  // namespace keelson::linker
