// SPDX-License-Identifier: MIT
//
// Names and files of thin UKIs.
#include "tools/keelson/thin.h"

#include <algorithm>

#include "efi/base/esp_path.h"
#include "efi/format/thin_uki.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"

namespace keelson::tool {
namespace {

// RFC 4648, lower case, without padding: as Lanzaboote names its files.
std::string base32(Bytes bytes) {
  constexpr std::string_view digits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::byte byte : bytes) {
    bits = (bits << 8 | std::to_integer<std::uint32_t>(byte)) & 0xFFF;
    for (count += 8; count >= 5; count -= 5) text += digits[bits >> (count - 5) & 31];
  }
  if (count > 0) text += digits[bits << (5 - count) & 31];
  return text;
}

bool is_name(const fs::path& part, std::string_view name) {
  return equal_ignoring_case(part.string(), name);
}

// `path` as pinned_path made it.
fs::path find_pinned(const fs::path& root, const std::string& path) {
  TextArena arena;
  return find_on_volume(root, utf16(path, arena));
}

Buffer read_pin(const thin_uki::Pin& pin, const std::string& image, const fs::path& root) {
  const fs::path file = find_on_volume(root, pin.path.text());
  if (!fs::is_regular_file(file))
    throw Failure(image + ": pins " + utf8(pin.path.text()) + ", which is not there below " +
                  root.string());
  Buffer content = read_file(file);
  if (!thin_uki::check(pin, sha256(content)).has_value())
    throw Failure(file.string() + ": is not the file that " + image +
                  " pins; it would not be started");
  return content;
}

}  // namespace

fs::path volume_root_of(const fs::path& image) {
  const fs::path directory = fs::absolute(image).lexically_normal().parent_path();
  if (is_name(directory.filename(), "Linux") && is_name(directory.parent_path().filename(), "EFI"))
    return directory.parent_path().parent_path();
  return directory;
}

std::string pinned_path(const std::string& directory, const std::string& stem,
                        const std::string& version, const Digest& sha256) {
  std::string name = stem + "-" + version + (version.empty() ? "" : "-") + base32(sha256.bytes());
  for (char& c : name)
    if (c <= ' ' || c > '~' || std::string_view("\"*/:<>?\\|").contains(c)) c = '_';
  TextArena arena;
  const std::string full = directory + "/" + name + ".efi";
  return utf8(or_fail(EspPath::parse(full, arena), "--pinned-directory=" + directory).text());
}

bool is_pinned_there(const fs::path& root, const std::string& path, Bytes content) {
  const fs::path file = find_pinned(root, path);
  if (!is_there(file)) return false;
  if (!fs::is_regular_file(fs::symlink_status(file)) ||
      !std::ranges::equal(read_file(file), content))
    throw Failure(file.string() +
                  ": another file has this name, which is made of the content's hash; it is "
                  "damaged, remove it");
  return true;
}

void write_pinned(const fs::path& root, const std::string& path, Bytes content) {
  if (is_pinned_there(root, path, content)) return;
  const fs::path file = find_pinned(root, path);
  fs::path directory = root;
  for (const fs::path& part : fs::relative(file.parent_path(), root)) {
    directory /= part;
    make_directory(directory);
  }
  write_file(file, content);
}

uki::Contents PinnedFiles::contents(const uki::Uki& uki, const uki::Effective& sections) const {
  uki::Contents contents(uki, sections);
  if (kernel) contents.pin(UkiSection::kernel, *kernel);
  if (initrd) contents.pin(UkiSection::initrd, *initrd);
  return contents;
}

PinnedFiles read_pinned_files(const uki::Uki& uki, const uki::Effective& sections,
                              const std::string& image, const PinnedPlaces& places,
                              const std::function<Bytes(Buffer)>& keep) {
  TextArena arena;
  const auto pins = or_fail(thin_uki::find_pins(uki, sections, arena), image);
  if (!pins) return {};
  const auto content_of = [&](const thin_uki::Pin& pin) {
    const auto file = std::ranges::find(places.unwritten, utf8(pin.path.text()), &FileBeside::path);
    return file == places.unwritten.end() ? keep(read_pin(pin, image, places.root)) : file->content;
  };
  return {.kernel = content_of(pins->kernel), .initrd = content_of(pins->initrd)};
}

}  // namespace keelson::tool
