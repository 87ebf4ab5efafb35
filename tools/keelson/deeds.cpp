// SPDX-License-Identifier: MIT
//
// Words for deeds.
#include "tools/keelson/deeds.h"

#include <algorithm>

namespace keelson::tool {
namespace {

struct Words {
  const char* action;   // in JSON
  const char* done;     // before the path
  const char* planned;  // the same in a dry run
};

Words words_of(Deed deed) {
  switch (deed) {
    case Deed::make_directory:
      return {"make-directory", "Made ", "Would make "};
    case Deed::write:
      return {"write", "Wrote ", "Would write "};
    case Deed::keep_as_fallback:
      return {"keep-as-fallback", "Kept the previous loader as ", "Would keep the loader as "};
    case Deed::remove:
      return {"remove", "Removed ", "Would remove "};
    case Deed::leave_current:
      return {"leave-current", "Current: ", "Current: "};
    case Deed::leave_newer:
      return {"leave-newer", "Newer, kept: ", "Newer, would be kept: "};
    case Deed::leave_foreign:
      return {"leave-foreign", "Kept ", "Would be kept: "};
  }
  return {};
}

}  // namespace

void Deeds::report(Deed deed, const fs::path& path, const std::string& what) {
  const Words words = words_of(deed);
  Json item = {{"action", words.action}, {"path", path.string()}};
  if (!what.empty()) item["what"] = what;
  if (std::ranges::find(document_, item) != document_.end()) return;  // a dry run sees it again
  document_.push_back(std::move(item));
  // A foreign loader comes with a warning that says more.
  if (deed != Deed::leave_foreign)
    note((dry_run_ ? words.planned : words.done) + path.string() +
         (what.empty() ? "" : " (" + what + ")") + ".");
}

void Deeds::print() const {
  if (json_ != JsonForm::off) print_json(document_, json_);
}

void make_directories(Deeds& deeds, const fs::path& root, const fs::path& relative) {
  fs::path so_far;
  for (const fs::path& part : relative) {
    so_far /= part;
    const fs::path path = find_ignoring_case(root, so_far);
    if (!fs::is_directory(fs::symlink_status(path)))
      deeds.perform(Deed::make_directory, path, [&] { make_directory(path); });
  }
}

}  // namespace keelson::tool
