// SPDX-License-Identifier: MIT
//
// Owns the account of what install, update and remove do to an ESP, or would do: a line on stderr
// for each deed, and all of them as one JSON document.
#pragma once

#include <string>
#include <string_view>

#include "tools/keelson/host_file.h"
#include "tools/keelson/output.h"

namespace keelson::tool {

enum class Deed {
  make_directory,
  write,
  keep_as_fallback,  // written: the loader that worked until now
  remove,
  leave_current,  // the rest: left as it is
  leave_newer,
  leave_foreign,
};

class Deeds {
 public:
  Deeds(bool dry_run, JsonForm json) : dry_run_(dry_run), json_(json) {}

  // Carries `act` out, unless this is a dry run, and reports it. `what`: more about the file.
  template <class Act>
  void perform(Deed deed, const fs::path& path, Act&& act, const std::string& what = {}) {
    if (!dry_run_) act();
    report(deed, path, what);
  }
  void report(Deed deed, const fs::path& path, const std::string& what = {});
  // [{"action":"write","path":"/efi/EFI/BOOT/BOOTX64.EFI","what":"keelson-boot 0.1.0"},…] if asked
  // for; actions as the enumerators are called, with hyphens.
  void print() const;

 private:
  bool dry_run_;
  JsonForm json_;
  Json document_ = Json::array();
};

// Makes `relative` below `root`, with what is missing above it. Names that FAT takes for the same
// are the same.
void make_directories(Deeds& deeds, const fs::path& root, const fs::path& relative);

}  // namespace keelson::tool
