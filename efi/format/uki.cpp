// SPDX-License-Identifier: MIT
//
// Owns effective sections of a UKI: see uki.h.
#include "efi/format/uki.h"

namespace keelson::uki {

Kind classify(const pe::Image& image) {
  bool kernel = false, osrel = false, addon = false;
  if (image.headers().subsystem != pe::subsystem_efi_application) return Kind::other;
  for (const pe::Section& section : image.sections()) {
    if (!section.is_set()) continue;
    const auto id = find_uki_section(section.name());
    if (!id) continue;
    switch (*id) {
      case UkiSection::kernel:
        kernel = true;
        break;
      case UkiSection::osrel:
        osrel = true;
        break;
      case UkiSection::cmdline:
      case UkiSection::dtb:
      case UkiSection::initrd:
      case UkiSection::ucode:
        addon = true;
        break;
      case UkiSection::splash:
      case UkiSection::uname:
      case UkiSection::sbat:
      case UkiSection::pcrsig:
      case UkiSection::pcrpkey:
      case UkiSection::profile:
      case UkiSection::dtbauto:
      case UkiSection::hwids:
      case UkiSection::efifw:
      case UkiSection::kernel_hash:
      case UkiSection::initrd_hash:
        break;
    }
  }
  if (kernel) return osrel ? Kind::uki : Kind::other;
  return addon ? Kind::addon : Kind::other;
}

Result<Uki> Uki::parse(const pe::Image& image) {
  TRY(image.check_disjoint());
  Uki uki;
  uki.image_ = image;
  uki.base_ = {0, uki.next_profile_header(0)};
  uki.overlay(uki.base_, uki.base_sections_);
  return uki;
}

Result<Uki> Uki::parse(Bytes bytes, pe::Layout layout, pe::Accept accept) {
  return parse(TRY(pe::Image::parse(bytes, layout, accept)));
}

// Index of the first `.profile` from `from` on, or the number of sections.
std::uint32_t Uki::next_profile_header(std::uint32_t from) const {
  const std::uint32_t count = image_.headers().section_count;
  for (const pe::Section& section : image_.sections(from, count))
    if (section.name() == row(UkiSection::profile).name) return section.index;
  return count;
}

std::optional<Range> Uki::next_profile(Range range) const {
  const std::uint32_t count = image_.headers().section_count;
  if (range.last >= count) return std::nullopt;
  return Range{range.last, next_profile_header(range.last + 1)};
}

Result<Range> Uki::profile(std::uint64_t number) const {
  if (!has_profiles() && number == 0) return Range{base_.last, base_.last};
  auto range = next_profile(base_);
  for (std::uint64_t i = 0; i < number && range; ++i) range = next_profile(*range);
  if (!range) return fail(Errc::not_found, "no such profile", number);
  return *range;
}

std::size_t Uki::listed_profiles() const {
  std::size_t count = 0;
  for (auto range = next_profile(base_); range && count < max_listed_profiles;
       range = next_profile(*range))
    ++count;
  return count == 0 ? 1 : count;
}

// The first section of each name in `range` decides; one without content leaves nothing.
void Uki::overlay(Range range, Effective& onto) const {
  std::array<bool, uki_sections.size()> seen{};
  for (const pe::Section& section : image_.sections(range.first, range.last)) {
    const auto id = find_uki_section(section.name());
    if (!id || row(*id).many) continue;
    const auto slot = static_cast<std::size_t>(*id);
    if (seen[slot]) continue;
    seen[slot] = true;
    onto.slots_[slot] = section.is_set() ? static_cast<std::uint16_t>(section.index + 1) : 0;
  }
}

Effective Uki::effective(Range profile) const {
  Effective sections = base_sections_;
  overlay(profile, sections);
  return sections;
}

Effective Uki::effective_alone(Range range) const {
  Effective sections;
  overlay(range, sections);
  return sections;
}

std::optional<pe::Section> Uki::find(const Effective& sections, UkiSection id) const {
  const auto index = sections.index(id);
  if (!index) return std::nullopt;
  return image_.section(*index);
}

Result<pe::SectionData> Uki::data(const Effective& sections, UkiSection id) const {
  const auto section = find(sections, id);
  if (!section) return pe::SectionData{};
  return image_.data(*section);
}

void Contents::pin(UkiSection id, Bytes file) {
  if (id == UkiSection::kernel) kernel_ = file;
  if (id == UkiSection::initrd) initrd_ = file;
}

Result<pe::SectionData> Contents::data(UkiSection id) const {
  if (id == UkiSection::kernel && kernel_) return pe::SectionData{.stored = *kernel_};
  if (id == UkiSection::initrd && initrd_) return pe::SectionData{.stored = *initrd_};
  return uki_->data(sections_, id);
}

Result<ListTexts> list_texts(const Uki& headers_of_file, const Effective& sections) {
  ListTexts texts;
  const auto locate = [&](UkiSection id, TextRange& range) -> Result<> {
    const auto section = headers_of_file.find(sections, id);
    if (!section) return {};
    if (section->stored_size() > max_text_size)
      return fail(Errc::malformed, "text section too long", section->index);
    range = {pe::value(section->raw_pointer), section->stored_size()};
    return {};
  };
  TRY(locate(UkiSection::osrel, texts.osrel));
  TRY(locate(UkiSection::profile, texts.profile));
  TRY(locate(UkiSection::cmdline, texts.cmdline));
  return texts;
}

}  // namespace keelson::uki
