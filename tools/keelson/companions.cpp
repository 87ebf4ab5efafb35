// SPDX-License-Identifier: MIT
//
// Companions of an image, from a tree.
#include "tools/keelson/companions.h"

#include <algorithm>

#include "efi/format/authenticode.h"
#include "efi/format/command_line.h"
#include "efi/format/device_tree.h"
#include "efi/format/uki.h"
#include "stub/addon_parts.h"
#include "stub/candidates.h"
#include "stub/companion_layout.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/output.h"
#include "tools/keelson/sections.h"

namespace keelson::tool {
namespace {

struct Companion {
  fs::path path;
  std::u16string_view name;
  CompanionKind kind;
};
using Directory = std::vector<Companion>;  // in the order that counts

class Gatherer {
 public:
  Gatherer(const fs::path& root, const CompanionTarget& target) : root_(root), target_(target) {}

  Companions gather() {
    const Directory own = list(or_fail(companion_directory(target_.path, texts()), root_.string()));
    const Directory credentials = list(stub::global_credentials);
    const Directory extensions = list(stub::global_extensions);
    for (const Directory& directory : {list(stub::global_addons), own})
      for (const Companion& file : directory)
        if (file.kind == CompanionKind::addon) try_addon(file);
    for (std::size_t i = 0; i < stub::archive_kinds; ++i) {
      const stub::ArchiveSource& source = stub::archive_sources[i];
      const Directory& directory = source.place == stub::CompanionPlace::own           ? own
                                   : source.place == stub::CompanionPlace::credentials ? credentials
                                                                                       : extensions;
      found_.gathered.archives[i] = archive(source, directory);
    }
    return std::move(found_);
  }

 private:
  TextArena& texts() { return found_.gathered.texts; }

  Directory list(std::u16string_view esp_path) {
    const fs::path path = find_on_volume(root_, esp_path);
    Directory files;
    if (!fs::is_directory(path)) return files;
    for (const auto& item : fs::directory_iterator(path)) {
      if (!item.is_regular_file() && !item.is_symlink()) continue;
      const auto name = to_utf16(item.path().filename().string(), BadText::refuse, texts());
      const auto kind = name.has_value() ? companion_kind(*name) : std::nullopt;
      if (!kind) continue;
      if (item.is_symlink())
        warn(item.path().string() + ": left out: " + no_links_there);
      else if (const auto checked = check_companion_name(*name); !checked.has_value())
        warn(item.path().string() + ": left out: " + describe(checked.error()));
      else
        files.push_back({item.path(), *name, *kind});
    }
    std::ranges::sort(files, [](const Companion& a, const Companion& b) {
      return companion_precedes(a.name, b.name);
    });
    return files;
  }

  Pages archive(const stub::ArchiveSource& source, const Directory& directory) {
    std::vector<Buffer> contents;
    std::vector<cpio::File> files;
    bool found = false;
    for (const Companion& file : directory) {
      if (file.kind != source.kind) continue;
      found = true;
      const std::uint64_t size = fs::file_size(file.path);
      if (size > stub::largest_in_archive) {
        warn(file.path.string() + ": too large for an archive: none of its kind is used");
        return {};
      }
      if (size > stub::largest_companion) {
        warn(file.path.string() + ": left out: larger than 1.5 GiB");
        continue;
      }
      contents.push_back(read_file(file.path));
      files.push_back(
          {.name = or_fail(ascii_companion_name(file.name, texts()), file.path.string()),
           .content = {}});
    }
    for (std::size_t i = 0; i < files.size(); ++i) files[i].content = contents[i];
    if (!found) return {};
    return or_fail(cpio::write_archive(source.layout, files), "archive of companion files");
  }

  // As firmware and stub do it: one bad add-on is not the end of the boot.
  void try_addon(const Companion& file) {
    const std::string path = file.path.string();
    Buffer content = read_file(file.path);
    try {
      if (!is_loaded(content, path)) return;
      const Buffer memory = loaded_image(whole_image(content, path), path);
      found_.loaded.push_back(std::move(content));
      add_addon(file, memory);
    } catch (const Failure& failure) {  // names the file
      warn(std::string(failure.what()) + "; left out");
    }
  }

  // Whether the firmware takes it, as far as the file says.
  bool is_loaded(Bytes content, const std::string& path) const {
    const auto image = pe::Image::parse(content, pe::Layout::file);
    if (!image.has_value()) {
      warn(path + ": left out: " + describe(image.error()));
      return false;
    }
    if (!target_.secure_boot || !or_fail(authenticode::certificate_table(content), path).empty())
      return true;
    warn(path + ": left out: it has no signature, so with Secure Boot it is not loaded");
    return false;
  }

  void add_addon(const Companion& file, Bytes memory) {
    const std::string path = file.path.string();
    const auto uki = or_fail(uki::Uki::parse(memory, pe::Layout::loaded), path);
    if (stub::has_candidates(uki))
      warn(path + ": what it has for certain machines only is not predicted");
    const auto parts =
        stub::choose_addon_parts({uki, uki.effective_alone(uki.whole())}, target_.uname);
    if (!parts.has_value()) {
      warn(path + ": left out: " + describe(parts.error()));
      return;
    }
    stub::Addon addon{.name = file.name,
                      .command_line = or_fail(normalise_utf8(parts->command_line, texts()), path),
                      .device_tree = copy(installable(parts->device_tree, path)),
                      .initrd = copy(parts->initrd),
                      .ucode = copy(parts->ucode)};
    or_fail(found_.gathered.addons.push(std::move(addon)), path);
  }

  // What is no device tree is neither installed nor measured.
  static Bytes installable(Bytes tree, const std::string& path) {
    if (tree.empty()) return tree;
    const auto parsed = device_tree::DeviceTree::parse(tree);
    if (parsed.has_value()) return tree;
    warn(path + ": its device tree is left out: " + describe(parsed.error()));
    return {};
  }

  static Pages copy(Bytes part) { return or_fail(Pages::copy_of(part), "add-on"); }

  fs::path root_;
  CompanionTarget target_;
  Companions found_;
};

}  // namespace

Companions gather_companions(const fs::path& root, const CompanionTarget& target) {
  return Gatherer(root, target).gather();
}

}  // namespace keelson::tool
