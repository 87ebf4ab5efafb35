// SPDX-License-Identifier: MIT
//
// Entries of an ESP tree, through the loader's own parsers.
#include "tools/keelson/esp_tree.h"

#include <algorithm>

#include "efi/format/uki.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/output.h"
#include "tools/keelson/sections.h"

namespace keelson::tool {
namespace {

// Messages of the parsers, with the file they are about.
class Warnings final : public Diagnostics {
 public:
  explicit Warnings(std::string subject) : subject_(std::move(subject)) {}

 private:
  void write(Severity severity, std::string_view message) override {
    if (severity <= Severity::warning) warn(subject_ + ": " + std::string(message));
  }
  std::string subject_;
};

std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(directory, error))
    if (item.is_regular_file() && !item.is_symlink()) files.push_back(item.path());
  if (error && error != std::errc::no_such_file_or_directory)
    throw Failure(directory.string() + ": cannot list: " + error.message());
  std::ranges::sort(files);
  return files;
}

std::string describe(const Error& error) {
  Line line;
  print(line, error);
  return std::string(line.text());
}

}  // namespace

std::string utf8(std::u16string_view text) {
  std::string room(text.size() * 3, '\0');
  const auto converted = to_utf8(text, std::span(room.data(), room.size()));
  return converted.has_value() ? std::string(*converted) : std::string();
}

std::u16string_view utf16(std::string_view text, TextArena& arena) {
  return or_fail(to_utf16(text, BadText::refuse, arena), std::string(text));
}

EspTree::EspTree(fs::path esp, fs::path boot, std::string_view arch)
    : esp_(std::move(esp)), boot_(std::move(boot)) {
  for (const fs::path& root : {esp_, boot_})
    if (!root.empty() && !fs::is_directory(root))
      throw Failure(root.string() + ": not a directory");
  const fs::path conf = resolve(EntrySource::esp, u"\\loader\\loader.conf");
  if (fs::is_regular_file(conf)) {
    conf_bytes_ = read_file(conf);
    Warnings warnings(conf.string());
    conf_ = or_fail(parse_loader_conf(*conf_bytes_, arena_, warnings), conf.string());
  }
  scan(EntrySource::esp, arch);
  if (!boot_.empty()) scan(EntrySource::xbootldr, arch);
  or_fail(entries_.sort(), esp_.string());
  or_fail(entries_.make_titles_unique(), esp_.string());
}

DefaultChoice EspTree::default_entry() const {
  return choose_default(entries_.entries(), {.one_shot = {},
                                             .preferred_variable = {},
                                             .preferred_setting = conf_.preferred_entry,
                                             .default_variable = {},
                                             .default_setting = conf_.default_entry,
                                             .last_booted = {}});
}

fs::path EspTree::resolve(EntrySource source, std::u16string_view esp_path) const {
  fs::path path = root(source);
  while (!esp_path.empty()) {
    const std::size_t end = esp_path.find(u'\\');
    const std::string part = utf8(esp_path.substr(0, end));
    esp_path.remove_prefix(end == std::u16string_view::npos ? esp_path.size() : end + 1);
    if (part.empty()) continue;
    if (!fs::exists(fs::symlink_status(path / part))) {
      std::error_code error;
      for (const auto& item : fs::directory_iterator(path, error))
        if (equal_ignoring_case(item.path().filename().string(), part)) {
          path /= item.path().filename();
          break;
        }
      if (equal_ignoring_case(path.filename().string(), part)) continue;
    }
    path /= part;
  }
  return path;
}

void EspTree::scan(EntrySource source, std::string_view arch) {
  for (const fs::path& file : files_in(resolve(source, type2_directory)))
    if (is_entry_file(utf16(file.filename().string(), arena_), u".efi")) add_uki(source, file);
  for (const fs::path& file : files_in(resolve(source, type1_directory)))
    if (is_entry_file(utf16(file.filename().string(), arena_), u".conf"))
      add_type1(source, file, arch);
}

void EspTree::add_type1(EntrySource source, const fs::path& file, std::string_view arch) {
  const Buffer content = read_file(file);
  if (content.size() > max_conf_size) {
    warn(file.string() + ": larger than 1 MiB, left out");
    return;
  }
  Warnings warnings(file.string());
  const auto entry = parse_loader_entry(content, arch, entries_.arena(), warnings);
  if (!entry.has_value()) {
    warn(file.string() + ": left out: " + describe(entry.error()));
    return;
  }
  if (!fs::is_regular_file(resolve(source, entry->executable.text()))) {
    warn(file.string() + ": left out: " + utf8(entry->executable.text()) + " is not there");
    return;
  }
  or_fail(entries_.add_type1(source, utf16(file.filename().string(), arena_), *entry),
          file.string());
}

void EspTree::add_uki(EntrySource source, const fs::path& file) {
  const Buffer bytes = read_file(file);
  const auto uki = uki::Uki::parse(bytes, pe::Layout::file);
  if (!uki.has_value()) {
    warn(file.string() + ": left out: " + describe(uki.error()));
    return;
  }
  const auto name = utf16(file.filename().string(), arena_);
  for (std::size_t number = 0; number < uki->listed_profiles(); ++number) {
    const auto range = or_fail(uki->profile(number), file.string());
    const auto sections = uki->effective(range);
    const auto texts = list_texts(*uki, sections);
    if (!texts.has_value()) {
      warn(file.string() + ": left out: " + describe(texts.error()));
      continue;
    }
    const auto part = [&](const uki::TextRange& range_of_text) {
      return or_fail(slice(bytes, range_of_text.offset, range_of_text.size, "text of a UKI"),
                     file.string());
    };
    const auto added = entries_.add_type2(source, name,
                                          {.osrel = part(texts->osrel),
                                           .cmdline = part(texts->cmdline),
                                           .profile = part(texts->profile),
                                           .profile_number = static_cast<std::uint32_t>(number)});
    if (!added.has_value()) warn(file.string() + ": left out: " + describe(added.error()));
  }
}

}  // namespace keelson::tool
