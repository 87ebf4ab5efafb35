// SPDX-License-Identifier: MIT
//
// Any bytes read as a Type #1 entry: refused, or with normalised paths and texts that fit.
#include "efi/format/loader_entry.h"
#include "host-tests/recorded_diagnostics.h"

namespace {
void check_path(const keelson::EspPath& path) {
  const auto text = path.text();
  if (!text.starts_with(u'\\') || text.ends_with(u'\\')) __builtin_trap();
  if (text.contains(u"\\\\") || text.contains(u'/') || text.contains(u':')) __builtin_trap();
  if (text.contains(u"\\..\\") || text.ends_with(u"\\..")) __builtin_trap();
  if (text.data()[text.size()] != 0) __builtin_trap();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  const Bytes text = std::as_bytes(std::span(data, size));
  TextArena arena;
  RecordedDiagnostics diagnostics;
  const auto entry = parse_loader_entry(text, "x64", arena, diagnostics);
  if (!entry.has_value()) {
    if (entry.error().code == Errc::out_of_memory) __builtin_trap();
    return 0;
  }
  check_path(entry->executable);
  for (const EspPath& initrd : entry->initrds) check_path(initrd);
  if (entry->kind != LoaderEntryKind::linux && !entry->initrds.empty()) __builtin_trap();
  if (entry->options.size() > size || entry->title.size() > size) __builtin_trap();
  return 0;
}
