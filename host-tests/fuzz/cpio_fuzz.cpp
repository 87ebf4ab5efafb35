// SPDX-License-Identifier: MIT
//
// Writes archives of files with arbitrary names and contents; what was accepted must have exactly
// the announced size, end with the trailer, and hold every content.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <vector>

#include "efi/format/cpio.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  FuzzedDataProvider input(data, size);
  const std::string directory = input.ConsumeRandomLengthString(40);
  const cpio::Layout layout{.directory = directory,
                            .file_mode = input.ConsumeIntegral<std::uint16_t>()};
  std::vector<std::string> texts;
  while (input.remaining_bytes() != 0 && texts.size() < 64) {
    texts.push_back(input.ConsumeRandomLengthString(300));
    texts.push_back(input.ConsumeRandomLengthString(300));
  }
  std::vector<cpio::File> files;
  bool names_good = true;
  for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
    files.push_back({texts[i], bytes_of(std::string_view(texts[i + 1]))});
    names_good = names_good && cpio::check_file_name(texts[i]).has_value();
  }
  const auto frame = cpio::frame_size(layout);
  const auto archive = cpio::write_archive(layout, files);
  if (archive.has_value() != (names_good && frame.has_value())) __builtin_trap();
  if (!archive.has_value()) return 0;
  std::uint64_t expected = *frame;
  for (const auto& file : files)
    expected += *cpio::file_record_size(layout, file.name, file.content.size());
  if (archive->size() != expected || archive->size() % 4 != 0) __builtin_trap();
  const std::string_view text = text_of(archive->bytes());
  if (text.substr(text.size() - 14, 10) != "TRAILER!!!") __builtin_trap();
  for (const auto& file : files)
    if (text.find(text_of(file.content)) == text.npos) __builtin_trap();
  return 0;
}
