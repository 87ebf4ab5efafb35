// SPDX-License-Identifier: MIT
//
// Entries of an ESP tree, through the loader's own parsers.
#include "tools/keelson/esp_tree.h"

#include <algorithm>

#include "efi/format/uki.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/output.h"

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

// Why a file gives no entry.
class LeftOut : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class T>
T or_left_out(Result<T>&& result) {
  if (!result.has_value()) throw LeftOut(describe(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(directory, error)) {
    if (item.is_symlink())
      warn(item.path().string() + ": left out: " + no_links_there);
    else if (item.is_regular_file())
      files.push_back(item.path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw Failure(directory.string() + ": cannot list: " + error.message());
  std::ranges::sort(files);
  return files;
}

}  // namespace

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
  return find_on_volume(root(source), esp_path);
}

void EspTree::scan(EntrySource source, std::string_view arch) {
  for (const fs::path& file : files_in(resolve(source, type2_directory)))
    add(file, u".efi", [&](std::u16string_view name) { add_uki(source, file, name); });
  for (const fs::path& file : files_in(resolve(source, type1_directory)))
    add(file, u".conf", [&](std::u16string_view name) { add_type1(source, file, name, arch); });
}

// One bad file never hides the others.
void EspTree::add(const fs::path& file, std::u16string_view suffix,
                  const std::function<void(std::u16string_view)>& add_entries) {
  try {
    const auto name = utf16(file.filename().string(), arena_);
    if (is_entry_file(name, suffix)) add_entries(name);
  } catch (const LeftOut& reason) {
    warn(file.string() + ": left out: " + reason.what());
  } catch (const Failure& failure) {  // names the file
    warn(std::string(failure.what()) + "; left out");
  }
}

void EspTree::add_type1(EntrySource source, const fs::path& file, std::u16string_view name,
                        std::string_view arch) {
  const Buffer content = read_file(file);
  if (content.size() > max_conf_size) throw LeftOut("larger than 1 MiB");
  Warnings warnings(file.string());
  const auto entry = or_left_out(parse_loader_entry(content, arch, entries_.arena(), warnings));
  if (!fs::is_regular_file(resolve(source, entry.executable.text())))
    throw LeftOut(utf8(entry.executable.text()) + " is not there");
  or_left_out(entries_.add_type1(source, name, entry));
}

void EspTree::add_uki(EntrySource source, const fs::path& file, std::u16string_view name) {
  const Buffer bytes = read_file(file);
  const auto uki = or_left_out(uki::Uki::parse(bytes, pe::Layout::file));
  const auto add_profile = [&](std::size_t number) {
    const auto range = or_left_out(uki.profile(number));
    const auto texts = or_left_out(list_texts(uki, uki.effective(range)));
    const auto part = [&](const uki::TextRange& text) {
      return or_left_out(slice(bytes, text.offset, text.size, "text of a UKI"));
    };
    or_left_out(entries_.add_type2(source, name,
                                   {.osrel = part(texts.osrel),
                                    .cmdline = part(texts.cmdline),
                                    .profile = part(texts.profile),
                                    .profile_number = static_cast<std::uint32_t>(number)}));
  };
  for (std::size_t number = 0; number < uki.listed_profiles(); ++number) {
    try {
      add_profile(number);
    } catch (const LeftOut& reason) {
      if (uki.listed_profiles() == 1) throw;
      warn(file.string() + ": profile " + std::to_string(number) + " left out: " + reason.what());
    }
  }
}

}  // namespace keelson::tool
