// SPDX-License-Identifier: MIT
//
// Owns what measures: a TPM 2.0 behind TCG2 (TCG EFI Protocol 1.00) and a confidential platform
// behind the CC protocol (UEFI 2.10, 38.2). Registers are really extended, in every active bank,
// and the event log is a real one that the tests read with efi/format/tcg_event_log.h.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "efi/base/digest.h"
#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

// One event, as it was logged.
struct LoggedEvent {
  std::uint32_t index = 0;  // PCR or measurement register
  std::uint32_t type = 0;
  std::vector<std::byte> data;
};

// Registers in several banks and a crypto-agile event log over them.
class EventRegisters {
 public:
  EventRegisters(std::vector<HashAlgorithm> banks, std::uint32_t count);
  void reset();
  // Extends all banks with the hash of the parts, and logs if there is room. False: not logged.
  bool measure(std::uint32_t index, std::uint32_t type, std::span<const Bytes> parts, Bytes event);

  const std::vector<HashAlgorithm>& banks() const { return banks_; }
  std::uint32_t count() const { return count_; }
  const Digest& value(HashAlgorithm bank, std::uint32_t index) const {
    return values_.at(bank)[index];
  }
  Bytes log() const { return Bytes(buffer_.get(), used_); }
  std::byte* log_start() const { return buffer_.get(); }
  std::byte* last_event() const { return buffer_.get() + last_event_; }
  const std::vector<LoggedEvent>& events() const { return events_; }
  bool truncated() const { return truncated_; }
  void set_capacity(std::uint64_t size) { capacity_ = size; }

 private:
  bool append(std::span<const std::byte> record);

  static constexpr std::uint64_t buffer_size = 256_KiB;
  std::vector<HashAlgorithm> banks_;
  std::uint32_t count_;
  std::map<HashAlgorithm, std::vector<Digest>> values_;
  std::unique_ptr<std::byte[]> buffer_;  // the log never moves: programs keep its address
  std::uint64_t used_ = 0;
  std::uint64_t last_event_ = 0;
  std::uint64_t capacity_ = buffer_size;
  bool truncated_ = false;
  std::vector<LoggedEvent> events_;
};

class Tpm {
 public:
  Tpm(Calls& calls, std::vector<HashAlgorithm> banks);
  explicit Tpm(Calls& calls)
      : Tpm(calls, std::vector(all_hash_algorithms.begin(), all_hash_algorithms.end())) {}
  ~Tpm();
  Tpm(const Tpm&) = delete;
  Tpm& operator=(const Tpm&) = delete;

  efi::Tcg2Protocol* protocol();
  // Registers to zero, an empty log.
  void power_cycle() { registers_.reset(); }

  // ---- The firmware's own measurements ----
  void measure(std::uint32_t pcr, std::uint32_t type, Bytes data, Bytes event);
  // What LoadImage does: the Authenticode hash into PCR 4. False: not a PE file.
  bool measure_image(Bytes file, Bytes event);

  const Digest& pcr(HashAlgorithm bank, std::uint32_t index) const {
    return registers_.value(bank, index);
  }
  const std::vector<HashAlgorithm>& banks() const { return registers_.banks(); }
  std::uint32_t bank_bits() const;
  Bytes log() const { return registers_.log(); }
  const std::vector<LoggedEvent>& events() const { return registers_.events(); }
  std::size_t events_in(std::uint32_t pcr) const;

  // ---- Behaviour ----
  // Room of the log; further events extend, but are not logged.
  void set_log_capacity(std::uint64_t size) { registers_.set_capacity(size); }
  // The capability structure of firmware from before the specification was final.
  void set_old_structure(bool old) { old_structure_ = old; }
  void set_present(bool present) { present_ = present; }
  // The `nth` event for that PCR, from now on, is refused; 0: none.
  void fail_event(std::uint32_t pcr, std::uint64_t nth) {
    failing_pcr_ = pcr;
    events_until_failure_ = nth;
  }
  void set_protocol_version(efi::Tcg2Version version) { protocol_version_ = version; }

 private:
  struct Protocol;
  efi::Status get_capability(efi::Tcg2Capability* capability) const;
  efi::Status get_event_log(UINT32 format, EFI_PHYSICAL_ADDRESS* location,
                            EFI_PHYSICAL_ADDRESS* last, BOOLEAN* truncated) const;
  efi::Status hash_log_extend(UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size,
                              const void* event);

  Calls& calls_;
  std::unique_ptr<Protocol> protocol_;
  EventRegisters registers_;
  efi::Tcg2Version protocol_version_ = {1, 1};
  bool old_structure_ = false;
  bool present_ = true;
  std::uint32_t failing_pcr_ = 0;
  std::uint64_t events_until_failure_ = 0;
};

// Measurement registers as a TDX guest has them: MRTD and four runtime registers.
class ConfidentialPlatform {
 public:
  explicit ConfidentialPlatform(Calls& calls);
  ~ConfidentialPlatform();
  ConfidentialPlatform(const ConfidentialPlatform&) = delete;
  ConfidentialPlatform& operator=(const ConfidentialPlatform&) = delete;

  efi::CcProtocol* protocol();
  void power_cycle() { registers_.reset(); }
  void measure(std::uint32_t pcr, std::uint32_t type, Bytes data, Bytes event);
  bool measure_image(Bytes file, Bytes event);
  // nullopt: kept nowhere.
  static std::optional<std::uint32_t> register_of(std::uint32_t pcr);

  const Digest& value(std::uint32_t index) const {
    return registers_.value(HashAlgorithm::sha384, index);
  }
  Bytes log() const { return registers_.log(); }
  const std::vector<LoggedEvent>& events() const { return registers_.events(); }
  void set_log_capacity(std::uint64_t size) { registers_.set_capacity(size); }
  // EFI_CC_BOOT_SERVICE_CAPABILITY.SupportedEventLogs.
  void set_supported_logs(UINT32 formats) { supported_logs_ = formats; }

 private:
  struct Protocol;
  efi::Status hash_log_extend(UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size,
                              const void* event);
  Calls& calls_;
  std::unique_ptr<Protocol> protocol_;
  EventRegisters registers_;
  UINT32 supported_logs_ = efi::tcg2_log_tcg_2;
};

}  // namespace keelson::sim
