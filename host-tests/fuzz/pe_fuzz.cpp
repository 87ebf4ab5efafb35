// SPDX-License-Identifier: MIT
//
// Any bytes as a PE file, as a loaded image and as a kernel: every section lies in the image, every
// returned span in the input, and an accepted kernel can be copied with its entry point in code.
#include "efi/format/pe.h"

#include <vector>

namespace {

using namespace keelson;

void demand(bool good) {
  if (!good) __builtin_trap();
}

void check_image(Bytes input, pe::Layout layout) {
  const auto image = pe::Image::parse(input, layout, pe::Accept::any_machine);
  if (!image.has_value()) return;
  demand(image->headers().table_end() <= input.size());
  for (const pe::Section& section : image->sections()) {
    demand(std::uint64_t{pe::value(section.virtual_address)} + section.virtual_size <=
           image->headers().size_of_image);
    const auto data = image->data(section);
    if (!data.has_value()) continue;
    demand(data->size() == section.virtual_size);
    demand(data->stored.empty() ||
           (data->stored.data() >= input.data() &&
            data->stored.data() + data->stored.size() <= input.data() + input.size()));
  }
  (void)image->check_disjoint();
}

void check_kernel(Bytes input) {
  const auto kernel = pe::Kernel::parse(input);
  if (!kernel.has_value() || kernel->size_of_image() > 1_MiB) return;
  std::vector<std::byte> target(kernel->size_of_image());
  demand(kernel->load_into(target).has_value());
  bool entry_in_code = false;
  const auto applied = kernel->for_each_code_range([&](pe::Rva at, std::uint64_t size) {
    const std::uint32_t entry = pe::value(kernel->entry_point());
    entry_in_code |= entry >= pe::value(at) && entry - pe::value(at) < size;
    return Result<>();
  });
  demand(applied.has_value() && entry_in_code);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  (void)pe::headers_size(input);
  check_image(input, pe::Layout::file);
  check_image(input, pe::Layout::loaded);
  check_kernel(input);
  for (const auto machine : {pe::Machine::x64, pe::Machine::i386})
    (void)pe::compat_entry(input, machine);
  return 0;
}
