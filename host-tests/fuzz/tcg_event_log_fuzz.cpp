// SPDX-License-Identifier: MIT
//
// Walks arbitrary logs: every event lies in the input, behind the one before; replay and
// extended_since end and agree with the walk.
#include <cstdlib>

#include "efi/format/tcg_event_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto inside = [&](Bytes part) {
    return part.empty() ||
           (part.data() >= bytes.data() && part.data() + part.size() <= bytes.data() + size);
  };
  const auto log = tcg::EventLog::open(bytes);
  if (!log.has_value()) return 0;
  if (log->first_event() > size) std::abort();

  constexpr tcg::RegisterSet registers = tcg::register_bit(11) | tcg::register_bit(12);
  const std::uint64_t first = log->first_event();
  bool extended = false;
  std::uint64_t expected = first, extending = 0;
  auto next = log->event_at(expected);
  while (next.has_value() && *next) {
    const tcg::Event& event = **next;
    if (event.offset != expected || event.size == 0 || event.size > size - event.offset)
      std::abort();
    if (!inside(event.data)) std::abort();
    for (const auto& digest : event.digests)
      if (!inside(digest.digest)) std::abort();
    expected = event.offset + event.size;
    if (event.type != tcg::event_type::no_action) {
      ++extending;
      extended =
          extended || (event.offset != first && (tcg::register_bit(event.pcr) & registers) != 0);
    }
    const tcg::LogSnapshot snapshot{
        .bytes = bytes.first(static_cast<std::size_t>(event.offset + 8)),
        .last_event = event.offset};
    if (extending < 64 && tcg::extended_since(snapshot, first, registers) != extended) std::abort();
    next = log->event_at(expected);
  }
  for (const tcg::Bank& bank : log->banks()) {
    const auto algorithm = hash_algorithm_from_id(bank.algorithm_id);
    if (!algorithm) continue;
    tcg::Replayed replayed(*algorithm);
    const auto result = tcg::replay(*log, *algorithm, replayed);
    if (result.has_value() != next.has_value()) std::abort();
    if (replayed.events + replayed.foreign_events != extending) std::abort();
  }
  return 0;
}
