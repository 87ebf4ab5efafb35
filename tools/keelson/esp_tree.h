// SPDX-License-Identifier: MIT
//
// Owns reading a boot partition's tree on the host the way the loader reads it in firmware: the
// same parsers, the same order, the same default. Unreadable entries are reported and left out.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "efi/format/default_entry.h"
#include "efi/format/entry_list.h"
#include "efi/format/loader_conf.h"
#include "tools/keelson/host_file.h"

namespace keelson::tool {

class EspTree {
 public:
  // `boot` may be empty (no XBOOTLDR). Failure: not a directory.
  EspTree(fs::path esp, fs::path boot, std::string_view arch);

  EntryList& entries() { return entries_; }
  DefaultChoice default_entry() const;

  const fs::path& root(EntrySource source) const {
    return source == EntrySource::esp ? esp_ : boot_;
  }
  // The file on the host that an ESP path names: components are matched ignoring case, as FAT does.
  fs::path resolve(EntrySource source, std::u16string_view esp_path) const;

 private:
  void scan(EntrySource source, std::string_view arch);
  void add(const fs::path& file, std::u16string_view suffix,
           const std::function<void(std::u16string_view name)>& add_entries);
  void add_type1(EntrySource source, const fs::path& file, std::u16string_view name,
                 std::string_view arch);
  void add_uki(EntrySource source, const fs::path& file, std::u16string_view name);

  fs::path esp_, boot_;
  EntryList entries_;
  TextArena arena_;
  std::optional<Buffer> conf_bytes_;
  LoaderConf conf_;
};

}  // namespace keelson::tool
