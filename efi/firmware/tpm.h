// SPDX-License-Identifier: MIT
//
// Owns measuring: TCG2 and the confidential-computing protocol, each present or not, and their
// event logs. Both are tried for every event; a failure of one never keeps the other from being
// extended. What is measured, into which PCR and as which event is efi/format/measurement.h.
#pragma once

#include <optional>

#include "efi/firmware/handle.h"
#include "efi/format/measurement.h"
#include "efi/format/tcg_event_log.h"

namespace keelson::efi {

class Tpm {
 public:
  // Neither a TPM 2.0 nor a measuring confidential platform: a Tpm that is not present. Never
  // fails.
  static Tpm find();

  bool has_tpm() const { return tcg2_ != nullptr; }
  bool has_cc() const { return cc_ != nullptr; }
  bool present() const { return has_tpm() || has_cc(); }

  // Measures to everything that is present (CC first, as systemd does); success without either.
  // The first error is returned after both were tried. A log without room for the event is none:
  // the register counts, and event_log() says that it was cut.
  Result<> measure(const Measurement& measurement) const;

  // What LoaderTpm2ActivePcrBanks holds (stub.md 8.1): 0 without a TPM or when it cannot be asked,
  // all ones if the firmware's TCG2 is too old to be asked.
  std::uint32_t active_pcr_banks() const;

  // The logs as they are now, in the crypto-agile format if the firmware has it. The bytes lie in
  // firmware memory: look at them before the next measurement. Errors: not_found (no TPM, no CC),
  // malformed, firmware.
  Result<tcg::LogSnapshot> event_log() const;
  Result<tcg::LogSnapshot> cc_event_log() const;
  // The register a PCR is kept in on a confidential platform. Error: not_found without one.
  Result<std::uint32_t> cc_register_of(std::uint32_t pcr) const;

 private:
  void* tcg2_ = nullptr;
  void* cc_ = nullptr;
  bool knows_banks_ = false;  // new enough to be asked for them
};

}  // namespace keelson::efi
