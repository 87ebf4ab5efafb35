// SPDX-License-Identifier: MIT
//
// Walks the two directories. Per entry: one open and one read of its file; per UKI: one open, one
// read of the headers and one for each text that differs from the profile's before it.
#include "loader/entry_files.h"

#include <algorithm>

#include "efi/format/loader_conf.h"
#include "efi/format/pe.h"
#include "efi/format/uki.h"

namespace keelson::loader {
namespace {

constexpr std::uint64_t first_read = 4_KiB;  // holds the headers of every real file

// One directory of one volume while it is read.
struct Scan {
  efi::Volume& volume;
  EntrySource source;
  std::u16string_view own_path;
  EntryList& list;
  Diagnostics& log;
  TextArena scratch;  // contents of files until they are parsed
};

// Everything but missing memory concerns one entry only.
Result<> leave_out(Scan& scan, std::u16string_view path, const Error& error) {
  if (error.code == Errc::out_of_memory) return fail(error);
  scan.log.info("left out ", path, ": ", error);
  return {};
}

// ---- Type #1 ----

Result<> add_type1_file(Scan& scan, std::u16string_view name) {
  const EspPath path = TRY(EspPath::join(type1_directory, name, scan.scratch));
  const Bytes file = TRY(scan.volume.read_small_file(path.text(), max_conf_size, scan.scratch));
  const LoaderEntry entry = TRY(parse_loader_entry(
      file, pe::efi_arch(pe::native_machine), scan.list.arena(), scan.log));
  if (entry.kind == LoaderEntryKind::efi && !scan.own_path.empty() &&
      equal_ignoring_case(entry.executable.text(), scan.own_path))
    return fail(Errc::unsupported, "it would start this loader again");
  if (!scan.volume.exists(entry.executable.text()))
    return fail(Errc::not_found, "what it starts is not there");
  return scan.list.add_type1(scan.source, name, entry);
}

// ---- Type #2 ----

// A text of the file, kept while the next profile has the same one.
struct Text {
  uki::TextRange range;
  Bytes bytes;
};

Result<> read_text(Scan& scan, efi::File& file, const uki::TextRange& range, Text& text) {
  if (range.offset == text.range.offset && range.size == text.range.size) return {};
  const MutableBytes room = TRY(scan.scratch.reserve(range.size));
  if (range.size != 0) TRY(file.read_at(range.offset, room));
  text = {.range = range, .bytes = room};
  return {};
}

struct Texts {
  Text osrel, profile, cmdline;
};

Result<> add_profile(Scan& scan, efi::File& file, std::u16string_view name, const uki::Uki& uki,
                     uki::Range range, std::uint32_t number, Texts& texts) {
  const uki::ListTexts ranges = TRY(uki::list_texts(uki, uki.effective(range)));
  TRY(read_text(scan, file, ranges.osrel, texts.osrel));
  TRY(read_text(scan, file, ranges.profile, texts.profile));
  TRY(read_text(scan, file, ranges.cmdline, texts.cmdline));
  return scan.list.add_type2(scan.source, name,
                             {.osrel = texts.osrel.bytes,
                              .cmdline = texts.cmdline.bytes,
                              .profile = texts.profile.bytes,
                              .profile_number = number});
}

Result<Bytes> read_headers(Scan& scan, efi::File& file, std::uint64_t file_size) {
  const MutableBytes start = TRY(scan.scratch.reserve(std::min(file_size, first_read)));
  TRY(file.read_at(0, start));
  const std::uint64_t size = TRY(pe::headers_size(start));
  if (size <= start.size()) return Bytes(start);
  if (size > file_size) return fail(Errc::truncated, "headers past the end of the file", size);
  const MutableBytes all = TRY(scan.scratch.reserve(size));
  TRY(file.read_at(0, all));
  return Bytes(all);
}

Result<> add_type2_file(Scan& scan, std::u16string_view name, std::uint64_t file_size) {
  const EspPath path = TRY(EspPath::join(type2_directory, name, scan.scratch));
  efi::File file = TRY(scan.volume.open_file(path.text()));
  const Bytes headers = TRY(read_headers(scan, file, file_size));
  const uki::Uki uki = TRY(uki::Uki::parse(headers, pe::Layout::file));

  Texts texts;
  std::optional<uki::Range> range = TRY(uki.profile(0));
  for (std::uint32_t number = 0; range && number < max_listed_profiles; ++number) {
    const Result<> added = add_profile(scan, file, name, uki, *range, number, texts);
    if (!added.has_value()) TRY(leave_out(scan, path.text(), added.error()));
    range = uki.next_profile(*range);
  }
  return {};
}

// ---- Directories ----

using AddFile = Result<> (*)(Scan& scan, std::u16string_view name, std::uint64_t file_size);

Result<> add_directory(Scan& scan, std::u16string_view directory, std::u16string_view suffix,
                       AddFile add_file) {
  auto opened = scan.volume.open_directory(directory);
  if (!opened.has_value()) {
    if (opened.error().code == Errc::not_found) return {};
    return leave_out(scan, directory, opened.error());
  }
  bool more = true;
  while (more) {
    const auto item = opened->next();
    if (!item.has_value()) return leave_out(scan, directory, item.error());
    more = item->has_value();
    if (!more) continue;
    const efi::DirectoryItem& file = **item;
    if (file.info.is_directory() || !is_entry_file(file.name, suffix)) continue;
    const Result<> added = add_file(scan, file.name, file.info.size);
    if (!added.has_value()) TRY(leave_out(scan, file.name, added.error()));
  }
  return {};
}

}  // namespace

Result<> add_entries_of(efi::Volume& volume, EntrySource source, std::u16string_view own_path,
                        EntryList& list, Diagnostics& log) {
  Scan scan{.volume = volume,
            .source = source,
            .own_path = own_path,
            .list = list,
            .log = log,
            .scratch = {}};
  TRY(add_directory(scan, type2_directory, u".efi", add_type2_file));
  return add_directory(scan, type1_directory, u".conf",
                       [](Scan& conf, std::u16string_view name, std::uint64_t /*size*/) {
                         return add_type1_file(conf, name);
                       });
}

}  // namespace keelson::loader
