// SPDX-License-Identifier: MIT
//
// Records of event logs. The first record always has the SHA-1 layout; if it is the Spec ID event
// it announces the banks, and all later records carry one digest per bank.
#include "efi/format/tcg_event_log.h"

#include <algorithm>

#include "efi/base/wire.h"
#include "efi/format/measurement.h"

namespace keelson::tcg {
namespace {

constexpr std::string_view spec_id_signature("Spec ID Event03\0", 16);
constexpr std::string_view startup_locality_signature("StartupLocality\0", 16);
constexpr std::uint16_t sha1_id = static_cast<std::uint16_t>(HashAlgorithm::sha1);

struct RecordStart {
  Le<std::uint32_t> pcr, type;
};
static_assert(sizeof(RecordStart) == 8);

struct Sha1Record {  // TCG_PCR_EVENT; the data follows
  RecordStart start;
  std::array<std::byte, 20> digest;
  Le<std::uint32_t> data_size;
};
static_assert(sizeof(Sha1Record) == 32 && alignof(Sha1Record) == 1);

struct AgileRecord {  // TCG_PCR_EVENT2; digests, data size and data follow
  RecordStart start;
  Le<std::uint32_t> digest_count;
};
static_assert(sizeof(AgileRecord) == 12);

struct SpecIdEvent {  // TCG_EfiSpecIDEvent; the banks follow
  std::array<char, 16> signature;
  Le<std::uint32_t> platform_class;
  std::array<std::byte, 3> version;
  std::uint8_t uintn_size;
  Le<std::uint32_t> bank_count;
};
static_assert(sizeof(SpecIdEvent) == 28 && alignof(SpecIdEvent) == 1);

struct SpecIdBank {
  Le<std::uint16_t> algorithm_id, digest_size;
};
static_assert(sizeof(SpecIdBank) == 4);

bool starts_with(Bytes data, std::string_view signature) {
  return text_of(data).starts_with(signature);
}

bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// A record of zeros, whole or cut off by the end, ends the log.
bool is_end(Bytes log, std::uint64_t offset, std::size_t record_size) {
  const std::uint64_t left = log.size() - offset;
  return all_zero(
      log.subspan(static_cast<std::size_t>(offset),
                  static_cast<std::size_t>(std::min<std::uint64_t>(left, record_size))));
}

Result<Event> read_sha1_record(Bytes log, std::uint64_t offset) {
  const auto record = TRY(load<Sha1Record>(log, offset, "event past the end of the log"));
  Event event{.offset = offset,
              .pcr = record.start.pcr,
              .type = record.start.type,
              .digests = {},
              .data = {}};
  const std::uint64_t digest_at = offset + offsetof(Sha1Record, digest);
  TRY(event.digests.push({sha1_id, TRY(slice(log, digest_at, 20, "event digest"))}));
  event.data = TRY(slice(log, offset + sizeof(Sha1Record), record.data_size,
                         "event data past the end of the log"));
  event.size = sizeof(Sha1Record) + event.data.size();
  return event;
}

using Banks = StaticVector<Bank, max_banks>;

Result<Event> read_agile_record(Bytes log, std::uint64_t offset, const Banks& banks) {
  const auto record = TRY(load<AgileRecord>(log, offset, "event past the end of the log"));
  if (record.digest_count == 0 || record.digest_count > banks.size())
    return fail(Errc::malformed, "event with a wrong number of digests", offset);

  Event event{.offset = offset,
              .pcr = record.start.pcr,
              .type = record.start.type,
              .digests = {},
              .data = {}};
  std::uint64_t at = offset + sizeof(AgileRecord);
  for (std::uint32_t i = 0; i < record.digest_count; ++i) {
    const std::uint16_t id = TRY(load<Le<std::uint16_t>>(log, at, "event digest past the end"));
    const auto* const bank =
        std::ranges::find_if(banks, [&](const Bank& known) { return known.algorithm_id == id; });
    if (bank == banks.end()) return fail(Errc::malformed, "event of an unannounced bank", at);
    at += sizeof(id);
    TRY(event.digests.push(
        {id, TRY(slice(log, at, bank->digest_size, "event digest past the end"))}));
    at += bank->digest_size;
  }
  const std::uint32_t data_size =
      TRY(load<Le<std::uint32_t>>(log, at, "event size past the end of the log"));
  at += sizeof(data_size);
  event.data = TRY(slice(log, at, data_size, "event data past the end of the log"));
  event.size = at + data_size - offset;
  return event;
}

Result<Banks> read_banks(Bytes spec_id) {
  const auto fixed = TRY(load<SpecIdEvent>(spec_id, 0, "Spec ID event is too short"));
  if (fixed.bank_count == 0 || fixed.bank_count > max_banks)
    return fail(Errc::malformed, "Spec ID event with a wrong number of banks", fixed.bank_count);
  Banks banks;
  for (std::uint32_t i = 0; i < fixed.bank_count; ++i) {
    const std::uint64_t at = sizeof(SpecIdEvent) + std::uint64_t{i} * sizeof(SpecIdBank);
    const auto bank = TRY(load<SpecIdBank>(spec_id, at, "Spec ID event is too short"));
    const auto algorithm = hash_algorithm_from_id(bank.algorithm_id);
    if (bank.digest_size == 0 || (algorithm && digest_size(*algorithm) != bank.digest_size))
      return fail(Errc::malformed, "Spec ID event with a wrong digest size", at);
    for (const Bank& earlier : banks)
      if (earlier.algorithm_id == bank.algorithm_id)
        return fail(Errc::malformed, "Spec ID event names a bank twice", at);
    TRY(banks.push({bank.algorithm_id, bank.digest_size}));
  }
  return banks;
}

// Whether an event of this register and type extended one of `registers`.
bool extends(std::uint32_t index, std::uint32_t type, RegisterSet registers) {
  return type != event_type::no_action && (registers & register_bit(index)) != 0;
}

// PCRs that only a dynamic launch resets begin with ones.
constexpr bool starts_with_ones(std::uint32_t pcr) { return pcr >= 17 && pcr <= 22; }

template <std::size_t... Index>
std::array<Digest, sizeof...(Index)> pcrs_after_reset(HashAlgorithm bank,
                                                      std::index_sequence<Index...>) {
  return {((void)Index, Digest(bank))...};
}

Result<> replay_event(const Event& event, HashAlgorithm bank, Replayed& into) {
  if (event.type == event_type::no_action) {
    // The locality that started the TPM is the last byte of PCR 0 before its first event.
    if (event.pcr == 0 && starts_with(event.data, startup_locality_signature) &&
        event.data.size() > startup_locality_signature.size())
      into.pcrs[0].mutable_bytes().back() = event.data[startup_locality_signature.size()];
    return {};
  }
  const std::optional<Bytes> digest = event.digest(bank);
  if (event.pcr >= pcr_count || !digest) {
    ++into.foreign_events;
    return {};
  }
  Digest& pcr = into.pcrs[event.pcr];
  pcr = TRY(extend(pcr, TRY(Digest::from_bytes(bank, *digest))));
  ++into.events;
  return {};
}

}  // namespace

std::optional<Bytes> Event::digest(HashAlgorithm algorithm) const {
  for (const EventDigest& digest : digests)
    if (digest.algorithm_id == static_cast<std::uint16_t>(algorithm)) return digest.digest;
  return std::nullopt;
}

Result<EventLog> EventLog::open(Bytes log) {
  EventLog opened;
  opened.log_ = log;
  TRY(opened.banks_.push({sha1_id, 20}));
  if (is_end(log, 0, sizeof(Sha1Record))) return opened;

  const Event first = TRY(read_sha1_record(log, 0));
  if (first.type != event_type::no_action || !starts_with(first.data, spec_id_signature))
    return opened;
  opened.format_ = LogFormat::crypto_agile;
  opened.banks_ = TRY(read_banks(first.data));
  opened.first_event_ = first.size;
  return opened;
}

Result<std::optional<Event>> EventLog::event_at(std::uint64_t offset) const {
  if (offset > log_.size()) return fail(Errc::truncated, "event past the end of the log", offset);
  if (format_ == LogFormat::sha1_only) {
    if (is_end(log_, offset, sizeof(Sha1Record))) return std::nullopt;
    return TRY(read_sha1_record(log_, offset));
  }
  if (is_end(log_, offset, sizeof(AgileRecord))) return std::nullopt;
  return TRY(read_agile_record(log_, offset, banks_));
}

Replayed::Replayed(HashAlgorithm bank)
    : pcrs(pcrs_after_reset(bank, std::make_index_sequence<pcr_count>())) {
  for (std::uint32_t pcr = 0; pcr < pcr_count; ++pcr)
    if (starts_with_ones(pcr)) std::ranges::fill(pcrs[pcr].mutable_bytes(), std::byte{0xFF});
}

Result<> replay(const EventLog& log, HashAlgorithm bank, Replayed& into) {
  const auto id = static_cast<std::uint16_t>(bank);
  if (std::ranges::none_of(log.banks(),
                           [&](const Bank& known) { return known.algorithm_id == id; }))
    return fail(Errc::not_found, "event log has no such bank", id);

  into = Replayed(bank);
  std::optional<Event> event = TRY(log.event_at(log.first_event()));
  while (event) {
    TRY(replay_event(*event, bank, into));
    event = TRY(log.event_at(event->offset + event->size));
  }
  return {};
}

bool extended_since(const LogSnapshot& now, std::optional<std::uint64_t> last_seen,
                    RegisterSet registers) {
  if (now.truncated) return true;
  if (now.last_event == last_seen) return false;
  if (!now.last_event || (last_seen && *last_seen > *now.last_event)) return true;  // it shrank

  const auto last = load<RecordStart>(now.bytes, *now.last_event, "last event");
  if (!last.has_value() || extends(last->pcr, last->type, registers)) return true;
  if (*now.last_event == 0) return false;

  const auto log = EventLog::open(now.bytes);
  if (!log.has_value()) return true;
  // The Spec ID event, which extends nothing, is no event of event_at.
  std::uint64_t at = std::max(last_seen.value_or(0), log->first_event());
  while (at < *now.last_event) {
    const auto event = log->event_at(at);
    if (!event.has_value() || !*event) return true;
    if (at != last_seen && extends((*event)->pcr, (*event)->type, registers)) return true;
    at += (*event)->size;
  }
  return at != *now.last_event;  // the walk must meet the last event
}

}  // namespace keelson::tcg
