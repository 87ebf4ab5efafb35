// SPDX-License-Identifier: MIT
//
// Owns which sections of a UKI count for profile N (stub.md 1.3, loader.md 3): base, overlay,
// masking, first wins; for a loaded image, a whole file, or just the headers of a file, of which it
// says what to read for a list. Names and order are uki_sections.h's. Meaning of contents: others'.
#pragma once

#include "efi/format/pe.h"
#include "efi/format/uki_sections.h"

namespace keelson::uki {

// What a PE file is to a boot loader (tools.md 1.1).
enum class Kind : std::uint8_t { uki, addon, other };
Kind classify(const pe::Image& image);

// A part of the section table: the base, or one profile, which begins with its `.profile`.
struct Range {
  std::uint32_t first = 0, last = 0;  // first <= index < last
};

// The sections that count: for each name at most one, by index in the section table. Of sections
// that repeat (.dtbauto, .efifw) none does until one is selected: they are candidates for the
// hardware (stub/candidates.h).
class Effective {
 public:
  // The section's index in the table; nullopt if it is absent, empty, or masked by the profile.
  std::optional<std::uint32_t> index(UkiSection id) const {
    const std::uint16_t slot = slots_[static_cast<std::size_t>(id)];
    if (slot == 0) return std::nullopt;
    return slot - 1u;
  }
  // Makes a candidate count. `index` is that of its section header.
  void select(UkiSection id, std::uint32_t index) {
    slots_[static_cast<std::size_t>(id)] = static_cast<std::uint16_t>(index + 1);
  }

 private:
  friend class Uki;
  std::array<std::uint16_t, uki_sections.size()> slots_{};  // index + 1; 0: none
};

class Uki {
 public:
  // Also demands that sections do not overlap. Contents are not looked at, no section is required.
  static Result<Uki> parse(const pe::Image& image);
  static Result<Uki> parse(Bytes bytes, pe::Layout layout, pe::Accept accept = pe::Accept::native);

  const pe::Image& image() const { return image_; }

  // Sections before the first `.profile`; all, if there is none.
  Range base() const { return base_; }
  // All sections, for images in which `.profile` begins nothing.
  Range whole() const { return {0, image_.headers().section_count}; }
  bool has_profiles() const { return base_.last < image_.headers().section_count; }
  // Profile `number`, counted from 0. A file without `.profile` has just number 0, an empty range.
  // Error: not_found.
  Result<Range> profile(std::uint64_t number) const;
  // For walking over all of them in one pass: the profile after `range`, which is base() or came
  // from here. nullopt after the last one (at once, if there is no `.profile`).
  std::optional<Range> next_profile(Range range) const;
  // How many profiles there are to list: 1 to max_listed_profiles.
  std::size_t listed_profiles() const;

  // Base overlaid with `profile`. Its first section of a name replaces the base's, also if empty.
  Effective effective(Range profile) const;
  Effective effective_base() const { return base_sections_; }
  // Nothing but `range`.
  Effective effective_alone(Range range) const;

  // nullopt if not effective.
  std::optional<pe::Section> find(const Effective& sections, UkiSection id) const;
  // The content: empty if not effective. Error: truncated.
  Result<pe::SectionData> data(const Effective& sections, UkiSection id) const;

 private:
  void overlay(Range range, Effective& onto) const;
  std::uint32_t next_profile_header(std::uint32_t from) const;

  pe::Image image_;
  Range base_;
  Effective base_sections_;
};

// What the effective sections stand for: their own data, or, where a thin UKI pins a file
// (thin_uki.h), that file's. Whatever is measured, started or handed on is asked for here.
class Contents {
 public:
  // `uki` must live as long as this.
  Contents(const Uki& uki, const Effective& sections) : uki_(&uki), sections_(sections) {}

  // From now on `id`, which is `.linux` or `.initrd`, stands for `file`: bytes that were compared
  // with their pin, and live as long as this.
  void pin(UkiSection id, Bytes file);
  // Empty if not effective. Error: truncated.
  Result<pe::SectionData> data(UkiSection id) const;

 private:
  const Uki* uki_;
  Effective sections_;
  std::optional<Bytes> kernel_, initrd_;  // files in place of sections
};

// Where a text of a UKI file lies. size 0: there is none.
struct TextRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
// What a list needs of one profile: read these ranges of the file and nothing else.
struct ListTexts {
  TextRange osrel, profile, cmdline;
};
inline constexpr std::uint64_t max_text_size = 64_KiB;  // security.md R6
// Of an image parsed from the file's headers. A text longer than max_text_size makes the profile an
// error (malformed), never a shortened one.
Result<ListTexts> list_texts(const Uki& headers_of_file, const Effective& sections);

}  // namespace keelson::uki
