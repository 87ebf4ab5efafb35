// SPDX-License-Identifier: MIT
//
// Owns measuring: TCG2 and the confidential-computing protocol, each present or not, and their
// event logs. Both are tried for every event; a failure of one never keeps the other from being
// extended. What is measured, into which PCR and as which event is efi/format/measurement.h.
#pragma once

#include <optional>

#include "efi/base/page_list.h"
#include "efi/firmware/handle.h"

namespace keelson {
struct Measurement;
}

namespace keelson::efi {

// Where an event log lies in firmware memory. Read it before the next measurement: firmware may
// move it.
struct EventLog {
  enum class Format : std::uint8_t { tcg_1_2, tcg_2 };
  Format format = Format::tcg_2;
  bool truncated = false;
  // From the first event to the end of the last one. Format tcg_1_2: SHA-1 events only.
  Bytes events;
  // Address of the last event in `events`, as the firmware says.
  std::uint64_t last_event = 0;
};

class Tpm {
 public:
  // Neither a TPM 2.0 nor a measuring confidential platform: a Tpm that is not present. Never
  // fails.
  static Tpm find();

  bool has_tpm() const { return tcg2_ != nullptr; }
  bool has_cc() const { return cc_ != nullptr; }
  bool present() const { return has_tpm() || has_cc(); }

  // Measures to everything that is present (CC first, as systemd does); success without either.
  // The first error is returned after both were tried.
  Result<> measure(const Measurement& measurement) const;

  // What LoaderTpm2ActivePcrBanks holds (stub.md 8.1): 0 without a TPM or when it cannot be asked,
  // all ones if the firmware's TCG2 is too old to be asked.
  std::uint32_t active_pcr_banks() const;

  // The log of the TPM, crypto-agile format if the firmware has it, else of the CC protocol
  // (`cc_log`). Errors: not_found (nothing present), malformed, firmware.
  Result<EventLog> event_log() const;
  Result<EventLog> cc_event_log() const;
  // The register a PCR is kept in on a confidential platform. Error: not_found without one.
  Result<std::uint32_t> cc_register_of(std::uint32_t pcr) const;

 private:
  void* tcg2_ = nullptr;
  void* cc_ = nullptr;
  bool asks_banks_ = false;
  std::uint32_t logs_ = 0;
};

}  // namespace keelson::efi
