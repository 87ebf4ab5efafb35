// SPDX-License-Identifier: MIT
//
// Registers, event log, TCG2 and CC (tpm.h).
#include "host-tests/sim/tpm.h"

#include <algorithm>

#include "efi/base/wire.h"
#include "efi/format/authenticode.h"
#include "efi/format/measurement.h"
#include "efi/format/tcg_event_log.h"

namespace keelson::sim {
namespace {

using efi::Status;
namespace status = efi::status;

constexpr std::uint32_t pcr_count = 24;
constexpr std::uint64_t flag_extend_only = 1;
constexpr std::uint64_t flag_pe_image = 0x10;

// ---- The log (TCG PC Client Platform Firmware Profile 1.06, 10.2) ----

struct OldEventHeader {  // of the first record only
  Le<std::uint32_t> pcr, type{tcg::event_type::no_action};
  std::array<unsigned char, 20> digest{};
  Le<std::uint32_t> size;
};
struct SpecIdHead {
  std::array<char, 16> signature = {'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ',
                                    'E', 'v', 'e', 'n', 't', '0', '3', '\0'};
  Le<std::uint32_t> platform_class;
  unsigned char minor = 0, major = 2, errata = 0, uintn_size = 2;
  Le<std::uint32_t> bank_count;
};
struct SpecIdBank {
  Le<std::uint16_t> algorithm, size;
};
struct EventHead {
  Le<std::uint32_t> pcr, type, digest_count;
};
static_assert(sizeof(OldEventHeader) == 32 && sizeof(SpecIdHead) == 28 && sizeof(EventHead) == 12);

using Record = std::vector<std::byte>;

template <class T>
void put(Record& record, const T& value) {
  const Bytes bytes = bytes_of_struct(value);
  record.insert(record.end(), bytes.begin(), bytes.end());
}
void put_bytes(Record& record, Bytes bytes) {
  record.insert(record.end(), bytes.begin(), bytes.end());
}

Record spec_id_event(const std::vector<HashAlgorithm>& banks) {
  Record data;
  SpecIdHead head;
  head.bank_count = static_cast<std::uint32_t>(banks.size());
  put(data, head);
  for (const HashAlgorithm bank : banks) {
    SpecIdBank wire;
    wire.algorithm = static_cast<std::uint16_t>(bank);
    wire.size = static_cast<std::uint16_t>(digest_size(bank));
    put(data, wire);
  }
  data.push_back(std::byte{0});  // vendor info: none
  OldEventHeader event;
  event.size = static_cast<std::uint32_t>(data.size());
  Record record;
  put(record, event);
  put_bytes(record, data);
  return record;
}

// What both protocols are given: EFI_TCG2_EVENT and EFI_CC_EVENT have the same shape.
struct GivenHead {
  Le<std::uint32_t> size, header_size;
  Le<std::uint16_t> header_version;
  Le<std::uint32_t> index, type;
};
static_assert(sizeof(GivenHead) == 18);

struct GivenEvent {
  std::uint32_t index = 0;
  std::uint32_t type = 0;
  Bytes data;
};

std::optional<GivenEvent> read_given(const void* event) {
  GivenHead head;
  __builtin_memcpy(&head, event, sizeof(head));
  if (head.size < sizeof(head) || head.header_size != sizeof(head) - 4 || head.header_version != 1)
    return std::nullopt;
  return GivenEvent{
      .index = head.index,
      .type = head.type,
      .data = Bytes(static_cast<const std::byte*>(event) + sizeof(head), head.size - sizeof(head))};
}

// The parts of a PE file that are hashed; nullopt if it is none. The list is made of pages: those
// of the firmware, whose calls nobody counts.
std::optional<std::vector<Bytes>> image_parts(Calls& calls, Bytes file) {
  const Unwatched unwatched(calls);
  const auto parts = authenticode::hashed_bytes(file);
  if (!parts.has_value()) return std::nullopt;
  return std::vector(parts->begin(), parts->end());
}

// What HashLogExtendEvent does in both protocols.
Status hash_log_extend_into(Calls& calls, EventRegisters& registers, UINT64 flags,
                            EFI_PHYSICAL_ADDRESS data, UINT64 size, const void* event) {
  if (event == nullptr || (data == 0 && size != 0)) return status::invalid_parameter;
  if ((flags & ~(flag_extend_only | flag_pe_image)) != 0) return status::invalid_parameter;
  const auto given = read_given(event);
  if (!given || given->index >= registers.count()) return status::invalid_parameter;
  const Bytes bytes(reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(data)), size);
  std::vector<Bytes> parts = {bytes};
  if ((flags & flag_pe_image) != 0) {
    const auto hashed = image_parts(calls, bytes);
    if (!hashed) return status::unsupported;
    parts = *hashed;
  }
  // The registers have been extended also if the log was full.
  return registers.measure(given->index, given->type, parts, given->data) ? status::success
                                                                          : status::volume_full;
}

Status log_of(const EventRegisters& registers, UINT32 format, EFI_PHYSICAL_ADDRESS* location,
              EFI_PHYSICAL_ADDRESS* last, BOOLEAN* truncated) {
  if (location == nullptr || last == nullptr || truncated == nullptr ||
      format != efi::tcg2_log_tcg_2)
    return status::invalid_parameter;
  *location = reinterpret_cast<std::uintptr_t>(registers.log_start());
  *last = reinterpret_cast<std::uintptr_t>(registers.last_event());
  *truncated = registers.truncated() ? TRUE : FALSE;
  return status::success;
}

std::uint32_t bit_of(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha1:
      return 1;
    case HashAlgorithm::sha256:
      return 2;
    case HashAlgorithm::sha384:
      return 4;
    case HashAlgorithm::sha512:
      return 8;
  }
  return 0;
}

}  // namespace

// ---- EventRegisters ----

EventRegisters::EventRegisters(std::vector<HashAlgorithm> banks, std::uint32_t count)
    : banks_(std::move(banks)), count_(count), buffer_(std::make_unique<std::byte[]>(buffer_size)) {
  reset();
}

void EventRegisters::reset() {
  values_.clear();
  for (const HashAlgorithm bank : banks_)
    values_.emplace(bank, std::vector<Digest>(count_, Digest(bank)));
  std::fill_n(buffer_.get(), buffer_size, std::byte{0});
  used_ = last_event_ = 0;
  truncated_ = false;
  events_.clear();
  append(spec_id_event(banks_));
}

bool EventRegisters::append(std::span<const std::byte> record) {
  if (truncated_ || record.size() > capacity_ - std::min(used_, capacity_)) {
    truncated_ = true;
    return false;
  }
  std::ranges::copy(record, buffer_.get() + used_);
  last_event_ = used_;
  used_ += record.size();
  return true;
}

bool EventRegisters::measure(std::uint32_t index, std::uint32_t type, std::span<const Bytes> parts,
                             Bytes event) {
  Record record;
  EventHead head;
  head.pcr = index;
  head.type = type;
  head.digest_count = static_cast<std::uint32_t>(banks_.size());
  put(record, head);
  for (const HashAlgorithm bank : banks_) {
    auto hasher = Hasher::start(bank);
    if (!hasher.has_value()) return false;  // all four exist on the host
    for (const Bytes part : parts) hasher->update(part);
    const Digest digest = hasher->finish();
    Digest& value = values_.at(bank)[index];
    if (const auto extended = extend(value, digest); extended.has_value()) value = *extended;
    put(record, Le<std::uint16_t>(static_cast<std::uint16_t>(bank)));
    put_bytes(record, digest.bytes());
  }
  put(record, Le<std::uint32_t>(static_cast<std::uint32_t>(event.size())));
  put_bytes(record, event);
  if (!append(record)) return false;
  events_.push_back({.index = index, .type = type, .data = {event.begin(), event.end()}});
  return true;
}

// ---- Tpm ----

struct Tpm::Protocol : efi::Tcg2Protocol {
  explicit Protocol(Tpm& owner) : efi::Tcg2Protocol{}, tpm(&owner) {
    get_capability = [](Tcg2Protocol* self, efi::Tcg2Capability* capability)
                         EFIAPI -> EFI_STATUS { return from(self).get_capability(capability); };
    get_event_log = [](Tcg2Protocol* self, UINT32 format, EFI_PHYSICAL_ADDRESS* location,
                       EFI_PHYSICAL_ADDRESS* last, BOOLEAN* truncated) EFIAPI -> EFI_STATUS {
      return from(self).get_event_log(format, location, last, truncated);
    };
    hash_log_extend_event =
        [](Tcg2Protocol* self, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size, void* event)
            EFIAPI -> EFI_STATUS { return from(self).hash_log_extend(flags, data, size, event); };
    submit_command = [](Tcg2Protocol*, UINT32, UINT8*, UINT32, UINT8*)
                         EFIAPI -> EFI_STATUS { return EFI_UNSUPPORTED; };
    get_active_pcr_banks = [](Tcg2Protocol* self, UINT32* banks) EFIAPI -> EFI_STATUS {
      if (banks == nullptr) return EFI_INVALID_PARAMETER;
      if (const auto failure = from(self).calls_.enter("Tcg2.GetActivePcrBanks")) return *failure;
      *banks = from(self).bank_bits();
      return EFI_SUCCESS;
    };
    set_active_pcr_banks = [](Tcg2Protocol*, UINT32)
                               EFIAPI -> EFI_STATUS { return EFI_UNSUPPORTED; };
    get_result_of_set_active_pcr_banks = [](Tcg2Protocol*, UINT32*, UINT32*)
                                             EFIAPI -> EFI_STATUS { return EFI_UNSUPPORTED; };
  }
  static Tpm& from(Tcg2Protocol* self) { return *static_cast<Protocol*>(self)->tpm; }
  Tpm* tpm;
};

Tpm::Tpm(Calls& calls, std::vector<HashAlgorithm> banks)
    : calls_(calls),
      protocol_(std::make_unique<Protocol>(*this)),
      registers_(std::move(banks), pcr_count) {}
Tpm::~Tpm() = default;

efi::Tcg2Protocol* Tpm::protocol() { return protocol_.get(); }

void Tpm::measure(std::uint32_t pcr, std::uint32_t type, Bytes data, Bytes event) {
  registers_.measure(pcr, type, std::span(&data, 1), event);
}

bool Tpm::measure_image(Bytes file, Bytes event) {
  const auto parts = image_parts(calls_, file);
  if (parts)
    registers_.measure(pcr::boot_loader_code, tcg::event_type::efi_boot_services_application,
                       *parts, event);
  return parts.has_value();
}

std::uint32_t Tpm::bank_bits() const {
  std::uint32_t bits = 0;
  for (const HashAlgorithm bank : banks()) bits |= bit_of(bank);
  return bits;
}

std::size_t Tpm::events_in(std::uint32_t pcr) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      events(), [pcr](const LoggedEvent& event) { return event.index == pcr; }));
}

Status Tpm::get_capability(efi::Tcg2Capability* capability) const {
  if (capability == nullptr) return status::invalid_parameter;
  if (const auto failure = calls_.enter("Tcg2.GetCapability")) return *failure;
  if (old_structure_) {
    // Version 1.0 of the structure: logs and hashes in one byte each, then the flag.
    std::array<UINT8, sizeof(efi::Tcg2Capability)> old{};
    old[0] = 28;
    old[1] = 1;
    old[3] = 1;
    old[10] = present_ ? 1 : 0;
    __builtin_memcpy(capability, old.data(), old.size());
    return status::success;
  }
  const UINT8 given = capability->size;
  capability->size = sizeof(*capability);
  if (given < sizeof(*capability)) return status::buffer_too_small;
  *capability = {.size = sizeof(*capability),
                 .structure_version = {1, 1},
                 .protocol_version = protocol_version_,
                 .hash_algorithm_bitmap = 15,
                 .supported_event_logs = efi::tcg2_log_tcg_2,
                 .tpm_present = present_ ? TRUE : FALSE,
                 .max_command_size = 4096,
                 .max_response_size = 4096,
                 .manufacturer_id = 0,
                 .number_of_pcr_banks = static_cast<UINT32>(banks().size()),
                 .active_pcr_banks = bank_bits()};
  return status::success;
}

Status Tpm::get_event_log(UINT32 format, EFI_PHYSICAL_ADDRESS* location, EFI_PHYSICAL_ADDRESS* last,
                          BOOLEAN* truncated) const {
  if (const auto failure = calls_.enter("Tcg2.GetEventLog")) return *failure;
  return log_of(registers_, format, location, last, truncated);
}

Status Tpm::hash_log_extend(UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size,
                            const void* event) {
  if (const auto failure = calls_.enter("Tcg2.HashLogExtendEvent")) return *failure;
  if (!present_) return status::device_error;
  const auto given = event == nullptr ? std::nullopt : read_given(event);
  if (given && given->index == failing_pcr_ && events_until_failure_ != 0 &&
      --events_until_failure_ == 0)
    return status::device_error;
  return hash_log_extend_into(calls_, registers_, flags, data, size, event);
}

// ---- ConfidentialPlatform ----

struct ConfidentialPlatform::Protocol : efi::CcProtocol {
  explicit Protocol(ConfidentialPlatform& owner) : efi::CcProtocol{}, platform(&owner) {
    get_capability = [](CcProtocol* self, efi::CcCapability* capability) EFIAPI -> EFI_STATUS {
      if (capability == nullptr) return EFI_INVALID_PARAMETER;
      if (const auto failure = from(self).calls_.enter("Cc.GetCapability")) return *failure;
      const UINT8 given = capability->size;
      capability->size = sizeof(*capability);
      if (given < sizeof(*capability)) return EFI_BUFFER_TOO_SMALL;
      constexpr UINT8 type_tdx = 2;
      *capability = {.size = sizeof(*capability),
                     .structure_version = {1, 0},
                     .protocol_version = {1, 0},
                     .hash_algorithm_bitmap = bit_of(HashAlgorithm::sha384),
                     .supported_event_logs = from(self).supported_logs_,
                     .cc_type = {type_tdx, 0}};
      return EFI_SUCCESS;
    };
    get_event_log = [](CcProtocol* self, UINT32 format, EFI_PHYSICAL_ADDRESS* location,
                       EFI_PHYSICAL_ADDRESS* last, BOOLEAN* truncated) EFIAPI -> EFI_STATUS {
      if (const auto failure = from(self).calls_.enter("Cc.GetEventLog")) return *failure;
      return log_of(from(self).registers_, format, location, last, truncated);
    };
    hash_log_extend_event =
        [](CcProtocol* self, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size, void* event)
            EFIAPI -> EFI_STATUS { return from(self).hash_log_extend(flags, data, size, event); };
    map_pcr_to_mr_index = [](CcProtocol* self, UINT32 pcr, UINT32* index) EFIAPI -> EFI_STATUS {
      if (index == nullptr) return EFI_INVALID_PARAMETER;
      if (const auto failure = from(self).calls_.enter("Cc.MapPcrToMrIndex")) return *failure;
      const auto mapped = register_of(pcr);
      if (!mapped) return EFI_UNSUPPORTED;
      *index = *mapped;
      return EFI_SUCCESS;
    };
  }
  static ConfidentialPlatform& from(CcProtocol* self) {
    return *static_cast<Protocol*>(self)->platform;
  }
  ConfidentialPlatform* platform;
};

ConfidentialPlatform::ConfidentialPlatform(Calls& calls)
    : calls_(calls),
      protocol_(std::make_unique<Protocol>(*this)),
      registers_({HashAlgorithm::sha384}, 5) {}
ConfidentialPlatform::~ConfidentialPlatform() = default;

efi::CcProtocol* ConfidentialPlatform::protocol() { return protocol_.get(); }

void ConfidentialPlatform::measure(std::uint32_t pcr, std::uint32_t type, Bytes data, Bytes event) {
  if (const auto index = register_of(pcr))
    registers_.measure(*index, type, std::span(&data, 1), event);
}

bool ConfidentialPlatform::measure_image(Bytes file, Bytes event) {
  const auto parts = image_parts(calls_, file);
  if (parts)
    registers_.measure(*register_of(pcr::boot_loader_code),
                       tcg::event_type::efi_boot_services_application, *parts, event);
  return parts.has_value();
}

// UEFI 2.10, 38.4.1, "TDX".
std::optional<std::uint32_t> ConfidentialPlatform::register_of(std::uint32_t pcr) {
  if (pcr == 0) return 0;
  if (pcr == 1 || pcr == 7) return 1;
  if (pcr <= 6) return 2;
  if (pcr <= 15) return 3;
  return std::nullopt;
}

Status ConfidentialPlatform::hash_log_extend(UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size,
                                             const void* event) {
  if (const auto failure = calls_.enter("Cc.HashLogExtendEvent")) return *failure;
  return hash_log_extend_into(calls_, registers_, flags, data, size, event);
}

}  // namespace keelson::sim
