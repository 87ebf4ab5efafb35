// SPDX-License-Identifier: MIT
//
// Lists of arbitrary sections, lines and profile numbers: every event has the announced size and
// says so, and a list replayed in two halves leads where it leads as a whole.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "efi/base/wire.h"
#include "efi/format/measurement.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  FuzzedDataProvider input(data, size);
  std::deque<std::string> contents;  // borrowed by the list
  MeasurementList list;
  const std::string path = input.ConsumeRandomLengthString(60);
  const std::uint32_t phase_pcr = input.ConsumeIntegral<std::uint32_t>();
  while (input.remaining_bytes() != 0) {
    const std::string& content = contents.emplace_back(input.ConsumeRandomLengthString(200));
    const std::u16string line(content.begin(), content.end());
    const auto section = static_cast<UkiSection>(
        input.ConsumeIntegralInRange<std::size_t>(0, uki_sections.size() - 1));
    const bool added = list.add_section(section, {.stored = bytes_of(std::string_view(content)),
                                                  .zeros = input.ConsumeIntegral<std::uint8_t>()})
                           .has_value() &&
                       list.add_command_line(line).has_value() &&
                       list.add_profile(input.ConsumeIntegral<std::uint32_t>()).has_value() &&
                       list.add_loader_conf(bytes_of(std::string_view(content))).has_value();
    if (!added) std::abort();
  }
  for (const Measurement& item : list.items()) {
    std::vector<std::byte> room(static_cast<std::size_t>(tcg2_event_size(item)));
    const auto event = write_tcg2_event(item, room);
    if (!event.has_value() || event->size() != room.size()) std::abort();
    if (*load<Le<std::uint32_t>>(*event, 0, "size") != room.size()) std::abort();
    if (*load<Le<std::uint32_t>>(*event, 10, "PCR") != item.pcr) std::abort();
    const auto cc = write_cc_event(item, phase_pcr, room);
    if (!cc.has_value() || cc->size() != cc_event_size(item)) std::abort();
  }
  const auto items = list.items();
  for (const std::uint32_t index :
       {pcr::boot_loader_config, pcr::kernel_image, pcr::kernel_parameters}) {
    const Digest reset(HashAlgorithm::sha256);
    const Digest whole = *replay(items, index, reset);
    const Digest half = *replay(items.first(items.size() / 2), index, reset);
    if (*replay(items.subspan(items.size() / 2), index, half) != whole) std::abort();
    if (*replay_phases(whole, ":" + path + "::") != *replay_phases(whole, path)) std::abort();
    if (pcr_policy_digest(phase_pcr, whole).has_value() != (phase_pcr < 24)) std::abort();
  }
  return 0;
}
