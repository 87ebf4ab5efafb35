// SPDX-License-Identifier: MIT
//
// Reads the pins of a thin UKI; see thin_uki.h.
#include "efi/format/thin_uki.h"

#include <algorithm>

namespace keelson::thin_uki {
namespace {

struct Row {
  UkiSection path;
  UkiSection hash;
};
constexpr Row kernel_row{UkiSection::kernel, UkiSection::kernel_hash};
constexpr Row initrd_row{UkiSection::initrd, UkiSection::initrd_hash};

struct Source {
  const uki::Uki& uki;
  const uki::Effective& sections;
  TextArena& arena;
};

constexpr std::uint64_t position(UkiSection id) { return static_cast<std::uint64_t>(id); }

Result<pe::SectionData> required(const Source& from, UkiSection id) {
  const pe::SectionData data = TRY(from.uki.data(from.sections, id));
  if (data.size() == 0)
    return fail(Errc::not_found, "a section that a thin image needs is missing", position(id));
  return data;
}

Result<EspPath> read_path(const Source& from, UkiSection id) {
  const pe::SectionData data = TRY(required(from, id));
  const std::string_view text = text_of(data.stored);
  if (data.zeros != 0 || text.contains('\0'))
    return fail(Errc::malformed, "the path of a pinned file holds a NUL", position(id));
  if (!text.starts_with('\\') || text.contains('/'))
    return fail(Errc::malformed, "the path of a pinned file is not absolute with backslashes",
                position(id));
  const Result<EspPath> path = EspPath::parse(text, from.arena);
  if (!path.has_value() && path.error().code == Errc::malformed)
    return fail(Errc::malformed, path.error().what, position(id));
  return path;
}

// A section may be shorter in the file than in memory; then zeros follow.
Result<Digest> read_hash(const Source& from, UkiSection id) {
  const pe::SectionData data = TRY(required(from, id));
  Digest hash(HashAlgorithm::sha256);
  if (data.size() != hash.bytes().size())
    return fail(Errc::malformed, "the hash of a pinned file is not 32 bytes long", position(id));
  std::ranges::copy(data.stored, hash.mutable_bytes().begin());
  return hash;
}

Result<Pin> read_pin(const Source& from, const Row& row) {
  Pin pin{.section = row.path};
  pin.hash = TRY(read_hash(from, row.hash));  // first: without it the other is no path at all
  pin.path = TRY(read_path(from, row.path));
  return pin;
}

}  // namespace

Result<std::optional<Pins>> find_pins(const uki::Uki& uki, const uki::Effective& sections,
                                      TextArena& arena) {
  if (!sections.index(UkiSection::kernel_hash) && !sections.index(UkiSection::initrd_hash))
    return std::nullopt;
  const Source from{uki, sections, arena};
  const pe::SectionData line = TRY(required(from, UkiSection::cmdline));
  if (!to_utf16(text_of(line.stored), BadText::refuse, arena).has_value())
    return fail(Errc::malformed, "the command line of a thin image is not UTF-8",
                position(UkiSection::cmdline));
  return Pins{.kernel = TRY(read_pin(from, kernel_row)), .initrd = TRY(read_pin(from, initrd_row))};
}

Result<> check(const Pin& pin, const Digest& hash) {
  if (hash != pin.hash) return fail(Errc::denied, "the file is not the one that the image pins");
  return {};
}

}  // namespace keelson::thin_uki
