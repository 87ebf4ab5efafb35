// SPDX-License-Identifier: MIT
//
// Owns reading TCG event logs: the crypto-agile format with its Spec ID event and the SHA-1-only
// one (TCG PC Client Platform Firmware Profile 1.06, 10), and the CC log, which is crypto-agile
// with measurement registers in place of PCRs. A log is untrusted: everything is bounded, nothing
// copied. What the events mean is left to others.
#pragma once

#include <array>
#include <optional>

#include "efi/base/digest.h"
#include "efi/base/static_vector.h"

namespace keelson::tcg {

enum class LogFormat : std::uint8_t { sha1_only, crypto_agile };

namespace event_type {
inline constexpr std::uint32_t no_action = 0x3;
inline constexpr std::uint32_t separator = 0x4;
inline constexpr std::uint32_t action = 0x5;
inline constexpr std::uint32_t event_tag = 0x6;
inline constexpr std::uint32_t ipl = 0xD;
inline constexpr std::uint32_t efi_boot_services_application = 0x80000003;
}  // namespace event_type

struct EventDigest {
  std::uint16_t algorithm_id = 0;  // TPM_ALG_ID, also of algorithms that we cannot compute
  Bytes digest;
};
inline constexpr std::size_t max_banks = 16;

struct Event {
  std::uint64_t offset = 0;  // of its first byte in the log
  std::uint64_t size = 0;    // of the whole record: the next event is at offset + size
  std::uint32_t pcr = 0;     // PCR, or measurement register in a CC log; not checked, may exceed 23
  std::uint32_t type = 0;    // event_type
  StaticVector<EventDigest, max_banks> digests;
  Bytes data;

  // nullopt if the event has no digest of that bank.
  std::optional<Bytes> digest(HashAlgorithm algorithm) const;
};

// One bank the log announces.
struct Bank {
  std::uint16_t algorithm_id = 0;
  std::uint16_t digest_size = 0;
};

class EventLog {
 public:
  // Reads the Spec ID event, if there is one; without it the log is SHA-1-only. `log` may be empty
  // (no events). Errors: truncated, malformed (bank list).
  static Result<EventLog> open(Bytes log);

  LogFormat format() const { return format_; }
  const StaticVector<Bank, max_banks>& banks() const { return banks_; }
  // Where `event_at` begins: behind the Spec ID event.
  std::uint64_t first_event() const { return first_event_; }
  // The event at `offset`, which is first_event() or offset + size of the event before; nullopt at
  // the end, which is also where a record of zeros stands (logs are often given with their buffer).
  // Errors: truncated; malformed (unannounced bank, no digests or more than banks).
  Result<std::optional<Event>> event_at(std::uint64_t offset) const;

 private:
  Bytes log_;
  LogFormat format_ = LogFormat::sha1_only;
  StaticVector<Bank, max_banks> banks_;
  std::uint64_t first_event_ = 0;
};

inline constexpr std::uint32_t pcr_count = 24;
struct Replayed {
  explicit Replayed(HashAlgorithm bank);  // the PCRs after a reset: zeros, 17 to 22 ones

  std::array<Digest, pcr_count> pcrs;
  std::uint64_t events = 0;          // that extended something
  std::uint64_t foreign_events = 0;  // that name no PCR or lack this bank's digest; left out
};
// The values of all PCRs of a bank after the log. PCR 0 starts at the locality that a
// StartupLocality event names. Errors: as event_at, `into` then holds the values up to there;
// not_found if the log has no such bank; unsupported (firmware, Hasher::start).
Result<> replay(const EventLog& log, HashAlgorithm bank, Replayed& into);

// What GetEventLog answers: the log's bytes up to its last event, with at least the first 8 bytes
// (register and type) of that event, which need not be readable as a whole.
struct LogSnapshot {
  Bytes bytes;
  std::optional<std::uint64_t> last_event;  // its offset; nullopt if the log is empty
  bool truncated = false;
};
// A set of PCRs or measurement registers, as bits 0 to 31.
using RegisterSet = std::uint32_t;
constexpr RegisterSet register_bit(std::uint32_t index) {
  return index < 32 ? RegisterSet{1} << index : RegisterSet{0};
}
// Whether the log names one of `registers` in an event after `last_seen` (LogSnapshot::last_event
// at that time). A truncated, shortened or unreadable log counts as extended.
bool extended_since(const LogSnapshot& now, std::optional<std::uint64_t> last_seen,
                    RegisterSet registers);

}  // namespace keelson::tcg
