// SPDX-License-Identifier: MIT
//
// Lists of entries with any names and contents: sorted whole and in order, ids and titles fit for
// use, titles no longer equal where ids differ, and the default is an entry of the list.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "efi/format/default_entry.h"
#include "efi/format/entry_list.h"
#include "host-tests/recorded_diagnostics.h"
#include "host-tests/utf16.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keelson;
  FuzzedDataProvider input(data, size);
  EntryList list;
  RecordedDiagnostics diagnostics;
  const std::u16string wanted = utf16(input.ConsumeRandomLengthString(40));
  for (int i = 0; i < 40 && input.remaining_bytes() != 0; ++i) {
    const std::u16string name = utf16(input.ConsumeRandomLengthString(40));
    const std::string text = input.ConsumeRandomLengthString(300);
    if (is_entry_file(name, u".conf")) {
      const auto entry = parse_loader_entry(bytes_of(text), "x64", list.arena(), diagnostics);
      if (entry.has_value()) (void)list.add_type1(EntrySource::esp, name, *entry).has_value();
    } else if (is_entry_file(name, u".efi")) {
      const UkiTexts texts{bytes_of(text), {}, bytes_of(text), static_cast<std::uint32_t>(i % 3)};
      (void)list.add_type2(EntrySource::esp, name, texts).has_value();
    }
  }
  const std::size_t count = list.size();
  if (!list.sort().has_value() || list.size() != count) __builtin_trap();
  if (!list.make_titles_unique().has_value()) __builtin_trap();
  const auto entries = list.entries();
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0 && compare_entries(entries[i], entries[i - 1]) < 0) __builtin_trap();
    if (entries[i].id.empty() || entries[i].shown_title.empty()) __builtin_trap();
    for (const char16_t unit : entries[i].shown_title)
      if (unit < 0x20 || unit == 0x7F) __builtin_trap();
  }
  const auto choice = choose_default(entries, {.default_setting = wanted});
  if (choice.index.has_value() != (count != 0) || choice.index.value_or(0) > count)
    __builtin_trap();
  return 0;
}
