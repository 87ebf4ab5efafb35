// SPDX-License-Identifier: MIT
//
// Lists companions; see companion_files.h.
#include "stub/companion_files.h"

#include <algorithm>

#include "efi/base/merge_sort.h"

namespace keelson::stub {
namespace {

// A file that is wanted, or nothing. Error: out_of_memory.
Result<> take_up(const efi::DirectoryItem& item, std::span<const CompanionKind> kinds,
                 TextArena& texts, Diagnostics& diagnostics, PageList<CompanionFile>& files) {
  const auto kind = companion_kind(item.name);
  if (!kind || std::ranges::find(kinds, *kind) == kinds.end()) return {};
  if (item.info.is_directory()) return {};
  const Result<> usable = check_companion_name(item.name);
  if (!usable.has_value()) {
    diagnostics.warn("skipping ", item.name, ": ", usable.error());
    return {};
  }
  return files.push({.name = TRY(texts.keep(item.name)), .kind = *kind});
}

// Errors: out_of_memory; anything else means that the directory could not be read to its end.
Result<PageList<CompanionFile>> read_directory(efi::Volume& volume, std::u16string_view path,
                                               std::span<const CompanionKind> kinds,
                                               TextArena& texts, Diagnostics& diagnostics) {
  efi::Directory directory = TRY(volume.open_directory(path));
  PageList<CompanionFile> files;
  while (const auto item = TRY(directory.next()))
    TRY(take_up(*item, kinds, texts, diagnostics, files));
  return files;
}

Result<PageList<CompanionFile>> sorted(const PageList<CompanionFile>& files) {
  const auto order = TRY(sorted_indices(files.size(), [&](std::uint32_t a, std::uint32_t b) {
    return companion_precedes(files[a].name, files[b].name);
  }));
  PageList<CompanionFile> in_order;
  for (const std::uint32_t index : order) TRY(in_order.push(files[index]));
  return in_order;
}

}  // namespace

Result<CompanionDirectory> list_companions(efi::Volume& volume, std::u16string_view path,
                                           std::span<const CompanionKind> kinds, TextArena& texts,
                                           efi::Log& log) {
  CompanionDirectory listed{.path = path, .files = {}};
  const auto files = read_directory(volume, path, kinds, texts, log);
  if (files.has_value()) {
    if (!files->empty()) listed.files = TRY(sorted(*files));
    return listed;
  }
  if (files.error().code == Errc::out_of_memory) return fail(files.error());
  if (files.error().code != Errc::not_found)
    log.tell(Severity::warning, "nothing is used of ", path, ": ", files.error());
  return listed;
}

Result<std::u16string_view> path_of(const CompanionDirectory& directory, std::u16string_view name,
                                    TextArena& texts) {
  return concatenate({directory.path, u"\\", name}, texts);
}

}  // namespace keelson::stub
