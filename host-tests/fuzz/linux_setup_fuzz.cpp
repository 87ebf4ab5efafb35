// SPDX-License-Identifier: MIT
//
// Any bytes as a kernel for the handover: an accepted one has its entry point in the file, asks for
// at least the room it fills, and its boot_params say where things are.
#include "efi/format/linux_setup.h"

#include <algorithm>
#include <vector>

namespace {

using namespace keelson;

void demand(bool good) {
  if (!good) __builtin_trap();
}

std::uint32_t word(Bytes page, std::size_t at) {
  const auto value = load<Le<std::uint32_t>>(page, at, "boot_params");
  demand(value.has_value());
  return *value;
}

void check(Bytes input, pe::Machine machine) {
  const auto handover = linux_setup::Handover::parse(input, machine);
  if (!handover.has_value()) return;
  demand(handover->entry_offset() < input.size());
  demand(handover->memory_size() >= input.size());
  std::vector<std::byte> page(linux_setup::boot_params_size, std::byte{0xaf});
  const linux_setup::Placement placement = {
      .kernel = 0x10'0000, .command_line = 0x9'0000, .initrd = 0x123'4000, .initrd_size = 0x5678};
  const auto written = handover->write_boot_params(input, placement, page);
  demand(written.has_value() ||
         handover->memory_size() > (std::uint64_t{1} << 32) - placement.kernel);
  if (!written.has_value()) return;
  demand(word(page, 0x228) == placement.command_line && word(page, 0xc8) == 0);
  demand(word(page, 0x218) == placement.initrd && word(page, 0x21c) == placement.initrd_size);
  demand(std::ranges::all_of(Bytes(page).subspan(0x290),
                             [](std::byte b) { return b == std::byte{}; }));
}

// A header that has the marks, so that what lies behind the checks of them is reached.
std::vector<std::byte> with_marks(Bytes input) {
  std::vector<std::byte> file(input.begin(), input.end());
  if (file.size() < 0x210) return file;
  constexpr unsigned char flag[] = {0x55, 0xaa};
  constexpr unsigned char magic[] = {'H', 'd', 'r', 'S'};
  std::ranges::copy(std::as_bytes(std::span(flag)), file.begin() + 0x1fe);
  std::ranges::copy(std::as_bytes(std::span(magic)), file.begin() + 0x202);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  const std::vector<std::byte> marked = with_marks(input);
  for (const auto machine : {pe::Machine::x64, pe::Machine::i386, pe::Machine::aa64}) {
    check(input, machine);
    check(marked, machine);
  }
  std::u16string_view line(reinterpret_cast<const char16_t*>(input.data()), 0);
  std::vector<char16_t> text;
  for (const std::byte byte : input)
    text.push_back(static_cast<char16_t>(std::to_integer<unsigned>(byte) * 3));
  line = {text.data(), text.size()};
  std::vector<std::byte> to(linux_setup::command_line_size(line, 40) + 1);
  demand(to.size() <= 41);
  linux_setup::write_command_line(line, to);
  demand(to.back() == std::byte{0});
  return 0;
}
