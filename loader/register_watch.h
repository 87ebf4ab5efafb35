// SPDX-License-Identifier: MIT
//
// Owns the question whether PCR 11, 12 or 13 were extended since an entry was read (design: "When
// something fails"): the event logs of TPM and CC protocol, from the last event seen before.
#pragma once

#include "efi/firmware/tpm.h"

namespace keelson::loader {

class RegisterWatch {
 public:
  // Notes where the logs end now.
  explicit RegisterWatch(const efi::Tpm& tpm);
  // A log that is truncated, shorter than before or cannot be read counts as extended; neither TPM
  // nor CC protocol as not.
  bool extended() const;

 private:
  const efi::Tpm& tpm_;
  bool readable_ = true;
  std::optional<std::uint64_t> last_event_;     // of the TPM's log
  std::optional<std::uint64_t> last_cc_event_;  // of the CC protocol's
};

}  // namespace keelson::loader
