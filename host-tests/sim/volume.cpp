// SPDX-License-Identifier: MIT
//
// The tree of volume.h, and what tests do to it.
#include "host-tests/sim/volume.h"

#include <algorithm>

#include "efi/base/text.h"
#include "host-tests/sim/volume_files.h"

namespace keelson::sim {

using efi::Status;

std::u16string folded(std::u16string_view text) {
  std::u16string result(text);
  for (char16_t& c : result) c = to_lower(c);
  return result;
}

std::optional<std::vector<std::u16string>> components(std::u16string_view path) {
  std::vector<std::u16string> names;
  while (!path.empty()) {
    const auto end = path.find(u'\\');
    const std::u16string_view name = path.substr(0, end);
    path.remove_prefix(end == path.npos ? path.size() : end + 1);
    if (name.empty() || name == u".") continue;
    if (name != u"..") {
      names.emplace_back(name);
    } else if (names.empty()) {
      return std::nullopt;
    } else {
      names.pop_back();
    }
  }
  return names;
}

Volume::Volume(Calls& calls, std::uint64_t seed)
    : calls_(calls),
      file_system_(std::make_unique<FileSystem>()),
      root_(std::make_shared<Node>()),
      seed_(seed) {
  root_->attributes = EFI_FILE_DIRECTORY;
  file_system_->volume = this;
  file_system_->Revision = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_REVISION;
  file_system_->OpenVolume = [](EFI_SIMPLE_FILE_SYSTEM_PROTOCOL* self, EFI_FILE_HANDLE* root)
                                 EFIAPI -> EFI_STATUS {
    if (self == nullptr || root == nullptr) return EFI_INVALID_PARAMETER;
    return static_cast<FileSystem*>(self)->volume->open_root(root);
  };
}

void Volume::power_cycle() {
  for (OpenFile* file : open_) delete file;
  open_.clear();
}

Volume::~Volume() { power_cycle(); }

EFI_SIMPLE_FILE_SYSTEM_PROTOCOL* Volume::protocol() { return file_system_.get(); }

// ---- Content ----

Volume::NodePointer Volume::find(std::u16string_view path) const {
  const auto names = components(path);
  if (!names) return nullptr;
  NodePointer node = root_;
  for (const std::u16string& name : *names) {
    const auto child = node->children.find(folded(name));
    if (child == node->children.end()) return nullptr;
    node = child->second;
  }
  return node;
}

Volume::NodePointer Volume::make_directories(std::u16string_view path) {
  NodePointer node = root_;
  for (const std::u16string& name : components(path).value_or(std::vector<std::u16string>())) {
    NodePointer& child = node->children[folded(name)];
    if (child == nullptr) {
      child = std::make_shared<Node>();
      child->name = name;
      child->attributes = EFI_FILE_DIRECTORY;
    }
    node = child;
  }
  return node;
}

Volume& Volume::add(std::u16string_view path, Bytes content) {
  const auto separator = path.rfind(u'\\');
  const std::u16string_view name = path.substr(separator == path.npos ? 0 : separator + 1);
  NodePointer& file =
      make_directories(path.substr(0, path.size() - name.size()))->children[folded(name)];
  if (file == nullptr) {
    file = std::make_shared<Node>();
    file->name = name;
    file->attributes = EFI_FILE_ARCHIVE;
  }
  file->content.assign(content.begin(), content.end());
  return *this;
}

Volume& Volume::add_directory(std::u16string_view path) {
  make_directories(path);
  return *this;
}

void Volume::remove(std::u16string_view path) {
  const auto separator = path.rfind(u'\\');
  const NodePointer parent = find(path.substr(0, separator));
  if (parent != nullptr) parent->children.erase(folded(path.substr(separator + 1)));
}

bool Volume::exists(std::u16string_view path) const { return find(path) != nullptr; }

std::u16string Volume::name_of(std::u16string_view path) const {
  const NodePointer node = find(path);
  return node != nullptr ? node->name : std::u16string();
}

std::vector<std::byte> Volume::content(std::u16string_view path) const {
  const NodePointer node = find(path);
  return node != nullptr ? node->content : std::vector<std::byte>();
}

std::vector<std::u16string> Volume::files() const {
  std::vector<std::u16string> paths;
  std::vector<std::pair<std::u16string, const Node*>> open = {{u"", root_.get()}};
  while (!open.empty()) {
    const auto [prefix, directory] = std::move(open.back());
    open.pop_back();
    for (const auto& [key, child] : directory->children) {
      std::u16string path = prefix + u"\\" + child->name;
      if (child->is_directory())
        open.emplace_back(std::move(path), child.get());
      else
        paths.push_back(std::move(path));
    }
  }
  std::ranges::sort(paths);
  return paths;
}

void Volume::set_attributes(std::u16string_view path, std::uint64_t attributes) {
  if (const NodePointer node = find(path); node != nullptr) node->attributes = attributes;
}

void Volume::claim_size(std::u16string_view path, std::uint64_t size) {
  if (const NodePointer node = find(path)) node->claimed_size = size;
}

// ---- Interference ----

void Volume::interfere(When when, Operation operation, std::u16string_view path,
                       Interference action, std::uint64_t nth, std::uint64_t times) {
  rules_.push_back({.when = when,
                    .operation = operation,
                    .path = folded(path),
                    .action = std::move(action),
                    .wait = nth - 1,
                    .times = times});
}

void Volume::fail(Operation operation, std::u16string_view path, Status status, std::uint64_t nth,
                  std::uint64_t times) {
  interfere(
      When::before, operation, path, [status](Volume&) { return std::optional(status); }, nth,
      times);
}

std::optional<Status> Volume::interference(When when, Operation operation,
                                           const std::u16string& path) {
  const std::u16string key = folded(path);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    Rule& rule = rules_[i];
    if (rule.when != when || rule.operation != operation || rule.times == 0) continue;
    if (!rule.path.empty() && rule.path != key) continue;
    if (rule.wait != 0) {
      --rule.wait;
      continue;
    }
    if (rule.times != always) --rule.times;
    const Interference action = rule.action;  // it may change the rules
    if (const auto result = action(*this)) return result;
  }
  return std::nullopt;
}

// ---- What was done ----

Volume::Usage Volume::usage(std::u16string_view path) const {
  const auto found = usage_.find(folded(path));
  return found != usage_.end() ? found->second : Usage();
}

std::vector<std::u16string> Volume::open_paths() const {
  std::vector<std::u16string> paths;
  for (const OpenFile* file : open_) paths.push_back(file->path);
  return paths;
}

}  // namespace keelson::sim
