// SPDX-License-Identifier: MIT
//
// Any texts and hashes as the sections of a thin UKI: what is accepted has paths that a volume can
// be asked for and exactly the hashes that the sections hold.
#include "efi/format/thin_uki.h"

#include <fuzzer/FuzzedDataProvider.h>

#include "host-tests/format/sample_pe.h"

namespace {

using namespace keelson;

void check(const thin_uki::Pin& pin, std::string_view path, std::string_view hash) {
  const std::u16string_view text = pin.path.text();
  if (!text.starts_with(u'\\') || text.contains(u'/') || text.contains(u'\0')) __builtin_trap();
  if (text.contains(u"\\..\\") || text.ends_with(u"\\..") || path.size() > 3 * EspPath::max_length)
    __builtin_trap();
  const auto same = Digest::from_bytes(HashAlgorithm::sha256, bytes_of(hash));
  if (!same.has_value() || !thin_uki::check(pin, *same).has_value()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  constexpr std::string_view names[] = {".linux", ".linuxh", ".initrd", ".initrdh", ".cmdline"};
  constexpr std::string_view good[] = {"\\kernel", "0123456789abcdef0123456789abcdef", "\\initrd",
                                       "0123456789abcdef0123456789abcdef", "quiet"};
  sample::Pe pe;
  std::string contents[5];
  for (std::size_t i = 0; i < std::size(names); ++i) {
    contents[i] =
        input.ConsumeBool() ? std::string(good[i]) : input.ConsumeRandomLengthString(5000);
    pe.sections.push_back({std::string(names[i]), contents[i]});
  }
  const sample::Buffer file = sample::make(pe);
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  if (!uki.has_value()) return 0;
  TextArena arena;
  const auto pins = thin_uki::find_pins(*uki, uki->effective_base(), arena);
  if (!pins.has_value()) return 0;
  if (!*pins) {
    if (!contents[1].empty() || !contents[3].empty()) __builtin_trap();
    return 0;
  }
  check((*pins)->kernel, contents[0], contents[1]);
  check((*pins)->initrd, contents[2], contents[3]);
  return 0;
}
