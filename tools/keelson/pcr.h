// SPDX-License-Identifier: MIT
//
// Owns how PCR values are computed for a person: banks and phases asked for, PCR 11 of sections,
// and how values are printed (the forms of systemd-measure).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "efi/format/measurement.h"
#include "tools/keelson/output.h"

namespace CLI {
class App;
}

namespace keelson::tool {

struct PcrValue {
  std::uint32_t index = 0;
  std::optional<std::string> phase;  // PCR 11 only; "" before the initrd
  Digest value;
};

// --bank= and --phase=, both repeatable.
struct PcrChoice {
  std::vector<std::string> banks;
  std::vector<std::string> phases;

  void add_options(CLI::App& command);
  // Sorted; all that are known, if none was given. Failure: unknown bank.
  std::vector<HashAlgorithm> chosen_banks() const;
  // Normalised, sorted, without duplicates; the default paths if none was given.
  std::vector<std::string> chosen_phases() const;
};

// PCR `index` of a chain of measurements, once per bank.
std::vector<PcrValue> replay_banks(const MeasurementList& list, std::uint32_t index,
                                   const PcrChoice& choice);
// PCR 11 in every bank, phase by phase, as systemd-measure orders its lines.
std::vector<PcrValue> replay_phases_of(const MeasurementList& list, const PcrChoice& choice);

// Text: "11:sha256=HEX" on stdout, under "# PCR[11] Phase <enter-initrd>" on stderr.
// JSON: {"sha256":[{"phase":"enter-initrd","pcr":11,"hash":"HEX"}]}
void print_pcrs(const std::vector<PcrValue>& values, JsonForm form);

}  // namespace keelson::tool
