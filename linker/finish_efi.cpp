// SPDX-License-Identifier: MIT
//
// Owns the step after the link: takes an image that lld made with wide gaps, and lays it out as
// builders and signers expect it: FileAlignment 512, room for more section headers (lld cannot
// reserve any), `.sbat` with room for longer texts. No address changes. What does not pass
// program_check.h is not written.
//
//   finish_efi --spare-section-headers=N [--without-sbat] LINKED FINISHED
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "linker/pe_writer.h"
#include "linker/program_check.h"

namespace keelson::linker {
namespace {

constexpr std::uint32_t sbat_room = 1024;
constexpr std::uint32_t file_alignment = 512;

Outcome<std::vector<std::byte>> finish(Bytes linked, const ProgramRules& rules) {
  auto image = TRY(PeWriter::open(linked));
  if (rules.has_sbat) TRY(image.reserve(".sbat", sbat_room));
  const std::uint64_t headers =
      image.headers().table_end() + rules.spare_section_headers * sizeof(pe::SectionHeader);
  TRY(image.repack(
      {.file_alignment = file_alignment, .size_of_headers = static_cast<std::uint32_t>(headers)}));
  auto finished = TRY(image.write());
  TRY(check_program(finished, rules));
  return finished;
}

int complain(const std::string& about, const std::string& what) {
  std::fprintf(stderr, "finish_efi: %s: %s\n", about.c_str(), what.c_str());
  return 1;
}

int run(const std::string& from, const std::string& to, const ProgramRules& rules) {
  std::ifstream in(from, std::ios::binary);
  const std::vector<char> linked{std::istreambuf_iterator<char>(in), {}};
  if (!in) return complain(from, std::strerror(errno));
  const auto finished = finish(std::as_bytes(std::span(linked)), rules);
  if (!finished.has_value()) return complain(from, finished.error().text());
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(finished->data()),
            static_cast<std::streamsize>(finished->size()));
  out.close();
  if (!out) {
    const int reason = errno;
    std::remove(to.c_str());
    return complain(to, std::strerror(reason));
  }
  return 0;
}

}  // namespace
}  // namespace keelson::linker

int main(int argc, char** argv) {
  using namespace std::string_view_literals;
  constexpr std::string_view option = "--spare-section-headers=";
  keelson::linker::ProgramRules rules;
  rules.has_sbat = argc < 3 || argv[2] != "--without-sbat"sv;
  char** const files = argv + (rules.has_sbat ? 2 : 3);
  if (files + 2 == argv + argc && std::string_view(argv[1]).starts_with(option)) {
    const std::string_view number = std::string_view(argv[1]).substr(option.size());
    const auto end = number.data() + number.size();
    const auto [stop, error] = std::from_chars(number.data(), end, rules.spare_section_headers);
    if (error == std::errc() && stop == end && rules.spare_section_headers <= 1000)
      return keelson::linker::run(files[0], files[1], rules);
  }
  std::fprintf(stderr, "usage: finish_efi %.*sN [--without-sbat] LINKED FINISHED\n",
               static_cast<int>(option.size()), option.data());
  return 2;
}
