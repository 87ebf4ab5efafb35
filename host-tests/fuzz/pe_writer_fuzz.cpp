// SPDX-License-Identifier: MIT
//
// Any bytes as an image to be changed: it is refused, or what is written holds what was put in.
#include "linker/pe_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  constexpr std::string_view content = "a new section";
  auto writer = linker::PeWriter::open(std::as_bytes(std::span(data, size)));
  if (!writer.has_value()) return 0;
  if (!writer->sections().empty() && size % 2 != 0)
    (void)writer->replace(std::string(writer->sections().front().name()), bytes_of(content));
  if (size % 3 == 0) (void)writer->repack({.file_alignment = 512});
  if (!writer->add(".fuzz", bytes_of(content), linker::data_section_flags).has_value()) return 0;
  if (writer->sections().back().header.pointer_to_raw_data > 64_MiB) return 0;
  const auto written = writer->write();
  if (!written.has_value()) return 0;
  const auto image = pe::Image::parse(*written, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value() || !image->check_disjoint().has_value()) __builtin_trap();
  const auto section = image->section(image->headers().section_count - 1u);
  if (!section || text_of(image->data(*section)->stored) != content) __builtin_trap();
  return 0;
}
