// SPDX-License-Identifier: MIT
//
// Two walks over the lines: the first counts what the second stores (initrds, options), so that
// both lie in one piece in the arena.
#include "efi/format/loader_entry.h"

#include <memory>
#include <optional>

#include "efi/format/key_value.h"

namespace keelson {
namespace {

// What the first walk finds; texts as in the file.
struct Draft {
  std::optional<std::string_view> linux_path, efi_path, uki_path;
  bool uki_url = false;
  std::string_view title, version, machine_id, sort_key, architecture;
  std::uint32_t profile = 0;
  std::size_t initrd_count = 0;
  std::size_t options_size = 0;  // UTF-8, a space after each line included
};

// Keys of UAPI.1 and of systemd-boot that have no effect here.
constexpr std::string_view ignored_keys[] = {"devicetree", "devicetree-overlay", "extra",
                                             "grub_users", "grub_class",         "grub_hotkey"};

bool set_text(Draft& draft, const KeyValue& line) {
  struct Field {
    std::string_view key;
    std::string_view Draft::* member;
  };
  constexpr Field fields[] = {{"title", &Draft::title},
                              {"version", &Draft::version},
                              {"machine-id", &Draft::machine_id},
                              {"sort-key", &Draft::sort_key},
                              {"architecture", &Draft::architecture}};
  for (const auto& field : fields)
    if (line.key == field.key) {
      draft.*field.member = line.value;
      return true;
    }
  return false;
}

void read_line(Draft& draft, const KeyValue& line, Diagnostics& diagnostics) {
  if (set_text(draft, line)) return;
  if (line.key == "linux") {
    draft.linux_path = line.value;
  } else if (line.key == "efi") {
    draft.efi_path = line.value;
  } else if (line.key == "uki") {
    draft.uki_path = line.value;
  } else if (line.key == "uki-url") {
    draft.uki_url = true;
  } else if (line.key == "initrd") {
    ++draft.initrd_count;
  } else if (line.key == "options") {
    draft.options_size += line.value.size() + 1;
  } else if (line.key == "profile") {
    const auto number = parse_decimal(line.value, 0xFFFF'FFFF);
    if (number)
      draft.profile = static_cast<std::uint32_t>(*number);
    else
      diagnostics.warn("line ", line.line, ": bad profile number");
  } else {
    for (const auto key : ignored_keys)
      if (line.key == key)
        diagnostics.debug("line ", line.line, ": ", key, " has no effect in this version");
  }
}

struct Executable {
  LoaderEntryKind kind;
  std::string_view path;
};

Result<Executable> find_executable(const Draft& draft) {
  const int kinds = int{draft.linux_path.has_value()} + int{draft.efi_path.has_value()} +
                    int{draft.uki_path.has_value()} + int{draft.uki_url};
  if (kinds > 1) return fail(Errc::malformed, "entry names executables of two kinds");
  if (draft.linux_path) return Executable{LoaderEntryKind::linux, *draft.linux_path};
  if (draft.efi_path) return Executable{LoaderEntryKind::efi, *draft.efi_path};
  if (draft.uki_path) return Executable{LoaderEntryKind::uki, *draft.uki_path};
  if (draft.uki_url) return fail(Errc::unsupported, "entry is started from the network");
  return fail(Errc::not_found, "entry names no executable");
}

Result<std::span<const EspPath>> read_initrds(Bytes file, std::size_t count, TextArena& arena) {
  const auto room = TRY(arena.reserve(count * sizeof(EspPath), alignof(EspPath)));
  auto* const paths = reinterpret_cast<EspPath*>(room.data());
  std::size_t used = 0;
  KeyValueLines lines(file, KeySeparator::blank);
  while (const auto line = lines.next())
    if (line->key == "initrd")
      std::construct_at(paths + used++, TRY(EspPath::parse(line->value, arena)));
  return std::span<const EspPath>(paths, used);
}

Result<std::u16string_view> read_options(Bytes file, std::size_t size, TextArena& arena) {
  const auto room = TRY(arena.reserve_utf16(size + 1));
  std::size_t used = 0;
  KeyValueLines lines(file, KeySeparator::blank);
  while (const auto line = lines.next()) {
    if (line->key != "options") continue;
    if (used != 0) room[used++] = u' ';
    used += TRY(to_utf16(line->value, BadText::drop, room.subspan(used, size - used))).size();
  }
  room[used] = 0;
  return std::u16string_view(room.data(), used);
}

}  // namespace

Result<LoaderEntry> parse_loader_entry(Bytes file, std::string_view architecture, TextArena& arena,
                                       Diagnostics& diagnostics) {
  Draft draft;
  KeyValueLines lines(file, KeySeparator::blank);
  while (const auto line = lines.next()) {
    if (line->key == "architecture" && !equal_ignoring_case(line->value, architecture))
      return fail(Errc::unsupported, "entry is for another architecture");
    read_line(draft, *line, diagnostics);
  }
  const auto executable = TRY(find_executable(draft));

  LoaderEntry entry;
  entry.kind = executable.kind;
  entry.executable = TRY(EspPath::parse(executable.path, arena));
  entry.profile = draft.profile;
  if (entry.kind == LoaderEntryKind::linux && draft.initrd_count != 0)
    entry.initrds = TRY(read_initrds(file, draft.initrd_count, arena));
  if (draft.options_size != 0) entry.options = TRY(read_options(file, draft.options_size, arena));
  entry.title = TRY(to_utf16(draft.title, BadText::replace, arena));
  entry.version = TRY(to_utf16(draft.version, BadText::replace, arena));
  entry.machine_id = TRY(to_utf16(draft.machine_id, BadText::replace, arena));
  entry.sort_key = TRY(to_utf16(draft.sort_key, BadText::replace, arena));
  entry.architecture = TRY(to_utf16(draft.architecture, BadText::replace, arena));
  return entry;
}

}  // namespace keelson
