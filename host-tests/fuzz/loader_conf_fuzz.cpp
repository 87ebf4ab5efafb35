// SPDX-License-Identifier: MIT
//
// Any bytes give settings, and no warning costs a setting that was good before.
#include "efi/format/loader_conf.h"
#include "host-tests/recorded_diagnostics.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes text = std::as_bytes(std::span(data, size));
  TextArena arena;
  RecordedDiagnostics diagnostics;
  const auto conf = parse_loader_conf(text, arena, diagnostics);
  if (!conf.has_value()) __builtin_trap();
  const bool counts = conf->timeout.mode == MenuTimeout::Mode::countdown;
  if (counts != (conf->timeout.seconds != 0)) __builtin_trap();
  if (conf->default_entry.size() > size || conf->preferred_entry.size() > size) __builtin_trap();
  return 0;
}
