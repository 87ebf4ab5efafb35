// SPDX-License-Identifier: MIT
//
// The rows of stub.md 2.2 and 2.3 and loader.md 11 as list items, their event bytes, and the
// arithmetic of PCRs.
#include "efi/format/measurement.h"

#include <algorithm>
#include <iterator>

#include "efi/base/text.h"
#include "efi/base/wire.h"

namespace keelson {
namespace {

// TCG2_EVENT without its data, packed. CC_EVENT has the same layout.
struct EventHeader {
  Le<std::uint32_t> size;  // of everything, this field too
  Le<std::uint32_t> header_size;
  Le<std::uint16_t> header_version;
  Le<std::uint32_t> register_index;
  Le<std::uint32_t> event_type;
};
static_assert(sizeof(EventHeader) == 18 && alignof(EventHeader) == 1);
// "Size of the event header itself": from here on, without `size`.
constexpr std::uint32_t header_size = sizeof(EventHeader) - sizeof(std::uint32_t);
constexpr std::uint16_t header_version = 1;

struct TaggedEvent {  // TCG_PCClientTaggedEvent
  Le<std::uint32_t> tag;
  Le<std::uint32_t> data_size;
};
static_assert(sizeof(TaggedEvent) == 8);

constexpr char16_t nul[1] = {0};

std::uint64_t description_size(const Measurement& measurement) {
  return (std::uint64_t{measurement.description.size()} + 1) * sizeof(char16_t);
}

struct EventTarget {
  std::uint32_t register_index;
  EventKind kind;
};

std::uint64_t event_size(const Measurement& measurement, EventKind kind) {
  return sizeof(EventHeader) + (kind == EventKind::event_tag ? sizeof(TaggedEvent) : 0) +
         description_size(measurement);
}

Result<Bytes> write_event(const Measurement& measurement, EventTarget target, MutableBytes out) {
  const std::uint64_t size = event_size(measurement, target.kind);
  if (size > 0xFFFFFFFF) return fail(Errc::out_of_memory, "event is too large", size);
  Writer writer(out);
  writer.append_struct(EventHeader{.size = static_cast<std::uint32_t>(size),
                                   .header_size = header_size,
                                   .header_version = header_version,
                                   .register_index = target.register_index,
                                   .event_type = static_cast<std::uint32_t>(target.kind)});
  if (target.kind == EventKind::event_tag)
    writer.append_struct(
        TaggedEvent{.tag = static_cast<std::uint32_t>(measurement.tag),
                    .data_size = static_cast<std::uint32_t>(description_size(measurement))});
  return writer.append(bytes_of(measurement.description))
      .append(std::as_bytes(std::span(nul)))
      .done();
}

// A text kept in an arena together with the NUL that TextArena puts behind it.
Bytes with_nul(std::u16string_view kept) {
  return std::as_bytes(std::span(kept.data(), kept.size() + 1));
}

// The structure as it is hashed: why the machine was switched on says nothing of what it is.
Result<Bytes> without_wake_up(const smbios::Structure& structure, TextArena& arena) {
  constexpr std::size_t wake_up_type = 24;
  if (structure.type != smbios::type::system || structure.formatted.size() <= wake_up_type)
    return structure.bytes;
  const MutableBytes copy = TRY(arena.reserve(structure.bytes.size()));
  TRY(Writer(copy).append(structure.bytes).done());
  copy[wake_up_type] = std::byte{0};
  return Bytes(copy);
}

}  // namespace

Result<> MeasurementList::add(const Measurement& measurement) {
  Measurement kept = measurement;
  kept.description = TRY(texts_.keep(measurement.description));
  return items_.push(kept);
}

Result<> MeasurementList::add_uki(const uki::Contents& contents) {
  for (const UkiSectionRow& section : uki_sections)
    if (section.measured) TRY(add_section(section.id, TRY(contents.data(section.id))));
  return {};
}

Result<> MeasurementList::add_section(UkiSection id, const pe::SectionData& content) {
  const UkiSectionRow& section = row(id);
  if (!section.measured || content.size() == 0) return {};

  const MutableBytes name = TRY(texts_.reserve(section.name.size() + 1));
  TRY(Writer(name).append(bytes_of(section.name)).append_zeros(1).done());
  const std::u16string_view description = TRY(to_utf16(section.name, BadText::refuse, texts_));
  Measurement measurement{
      .pcr = pcr::kernel_image, .kind = EventKind::ipl, .description = description, .data = name};
  TRY(items_.push(measurement));
  measurement.data = content.stored;
  measurement.zeros = content.zeros;
  return items_.push(measurement);
}

Result<> MeasurementList::add_profile(std::uint32_t profile) {
  if (profile == 0) return {};
  const std::u16string_view number = TRY(to_utf16(Decimal(profile), BadText::refuse, texts_));
  return items_.push({.pcr = pcr::kernel_parameters,
                      .kind = EventKind::event_tag,
                      .tag = EventTag::profile,
                      .description = number,
                      .data = with_nul(number)});
}

Result<> MeasurementList::add_command_line(std::u16string_view text) {
  if (text.empty()) return {};
  const std::u16string_view kept = TRY(texts_.keep(text));
  return items_.push({.pcr = pcr::kernel_parameters,
                      .kind = EventKind::ipl,
                      .description = kept,
                      .data = with_nul(kept)});
}

Result<> MeasurementList::add_loader_conf(Bytes content) {
  return items_.push({.pcr = pcr::boot_loader_config,
                      .kind = EventKind::event_tag,
                      .tag = EventTag::loader_conf,
                      .description = u"loader.conf",
                      .data = content});
}

Result<> MeasurementList::add_smbios(const smbios::Table& table) {
  struct Row {
    std::uint8_t type;
    EventTag tag;
    std::u16string_view description;
  };
  constexpr Row rows[] = {
      {smbios::type::system, EventTag::smbios_system, u"smbios:type1"},
      {smbios::type::baseboard, EventTag::smbios_baseboard, u"smbios:type2"},
      {smbios::type::oem_strings, EventTag::smbios_oem_strings, u"smbios:type11"},
  };
  for (auto walk = table.walk(); const auto structure = walk.next();) {
    const Row* const row = std::ranges::find(rows, structure->type, &Row::type);
    if (row == std::end(rows)) continue;
    TRY(items_.push({.pcr = pcr::platform_config,
                     .kind = EventKind::event_tag,
                     .tag = row->tag,
                     .description = row->description,
                     .data = TRY(without_wake_up(*structure, texts_))}));
  }
  return {};
}

std::uint64_t tcg2_event_size(const Measurement& measurement) {
  return event_size(measurement, measurement.kind);
}

Result<Bytes> write_tcg2_event(const Measurement& measurement, MutableBytes out) {
  return write_event(measurement, {measurement.pcr, measurement.kind}, out);
}

std::uint64_t cc_event_size(const Measurement& measurement) {
  return event_size(measurement, EventKind::ipl);
}

Result<Bytes> write_cc_event(const Measurement& measurement, std::uint32_t cc_register,
                             MutableBytes out) {
  return write_event(measurement, {cc_register, EventKind::ipl}, out);
}

Result<Digest> event_digest(const Measurement& measurement, HashAlgorithm bank) {
  Hasher hasher = TRY(Hasher::start(bank));
  return hasher.update(measurement.data).update_zeros(measurement.zeros).finish();
}

Result<Digest> extend(const Digest& pcr, const Digest& event) {
  if (pcr.algorithm() != event.algorithm())
    return fail(Errc::malformed, "digest of another bank than the PCR");
  Hasher hasher = TRY(Hasher::start(pcr.algorithm()));
  return hasher.update(pcr.bytes()).update(event.bytes()).finish();
}

Result<Digest> replay(std::span<const Measurement> list, std::uint32_t pcr, const Digest& initial) {
  Digest value = initial;
  for (const Measurement& measurement : list)
    if (measurement.pcr == pcr)
      value = TRY(extend(value, TRY(event_digest(measurement, value.algorithm()))));
  return value;
}

Result<Digest> replay_phases(const Digest& pcr, std::string_view path) {
  Digest value = pcr;
  while (!path.empty()) {
    const std::string_view word = path.substr(0, path.find(':'));
    if (!word.empty()) value = TRY(extend(value, TRY(hash(value.algorithm(), bytes_of(word)))));
    path.remove_prefix(word.size() == path.size() ? word.size() : word.size() + 1);
  }
  return value;
}

Result<Digest> pcr_policy_digest(std::uint32_t index, const Digest& value) {
  constexpr std::uint32_t pcrs_of_a_tpm = 24;
  if (index >= pcrs_of_a_tpm) return fail(Errc::unsupported, "no such PCR", index);
  struct PolicyPcr {
    Be<std::uint32_t> command = 0x17F;  // TPM_CC_PolicyPCR
    Be<std::uint32_t> selections = 1;
    Be<std::uint16_t> bank;
    std::uint8_t size_of_select = pcrs_of_a_tpm / 8;
    std::array<std::uint8_t, pcrs_of_a_tpm / 8> select{};
  } policy;
  static_assert(sizeof(PolicyPcr) == 14 && alignof(PolicyPcr) == 1);
  policy.bank = static_cast<std::uint16_t>(value.algorithm());
  policy.select[index / 8] = static_cast<std::uint8_t>(1u << (index % 8));

  const Digest before(HashAlgorithm::sha256);  // of a policy session that has just begun
  return Hasher::sha256()
      .update(before.bytes())
      .update(bytes_of_struct(policy))
      .update(sha256(value.bytes()).bytes())
      .finish();
}

}  // namespace keelson
