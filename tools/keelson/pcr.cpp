// SPDX-License-Identifier: MIT
//
// Replaying measurement lists and printing what comes out.
#include "tools/keelson/pcr.h"

#include <algorithm>

#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

// "a::b:" becomes "a:b"; ":" becomes "".
std::string normalised(const std::string& path) {
  std::string result;
  for (const std::string& word : CLI::detail::split(path, ':')) {
    if (word.empty()) continue;
    if (!result.empty()) result += ':';
    result += word;
  }
  return result;
}

std::string heading_of(const PcrValue& value) {
  std::string text = "# PCR[" + std::to_string(value.index) + "]";
  if (value.phase) return text + " Phase <" + (value.phase->empty() ? ":" : *value.phase) + ">";
  switch (value.index) {
    case pcr::boot_loader_code:
      return text + " Boot loader code";
    case pcr::system_extensions:
      return text + " System extensions";
    default:
      return text + " Parameters";
  }
}

}  // namespace

void PcrChoice::add_options(CLI::App& command) {
  add_repeatable(command, "--bank", banks, "PCR bank: sha1, sha256, sha384, sha512; may repeat",
                 "BANK");
  add_repeatable(command, "--phase", phases,
                 "Boot phases joined by colons (\":\" is before the initrd); may repeat", "PATH");
}

std::vector<HashAlgorithm> PcrChoice::chosen_banks() const {
  if (banks.empty()) return {all_hash_algorithms.begin(), all_hash_algorithms.end()};
  std::vector<HashAlgorithm> chosen;
  for (const std::string& bank : banks) {
    const auto algorithm = parse_hash_algorithm(CLI::detail::to_lower(bank));
    if (!algorithm)
      throw Failure("--bank=" + bank + ": unknown; known are sha1, sha256, sha384 and sha512");
    chosen.push_back(*algorithm);
  }
  std::ranges::sort(chosen);
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

std::vector<std::string> PcrChoice::chosen_phases() const {
  if (phases.empty()) return {default_phase_paths.begin(), default_phase_paths.end()};
  std::vector<std::string> chosen;
  for (const std::string& path : phases) chosen.push_back(normalised(path));
  std::ranges::sort(chosen);
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

std::vector<PcrValue> replay_banks(const MeasurementList& list, std::uint32_t index,
                                   const PcrChoice& choice) {
  std::vector<PcrValue> values;
  for (const HashAlgorithm bank : choice.chosen_banks())
    values.push_back({index, std::nullopt,
                      or_fail(replay(list.items(), index, Digest(bank)), "PCR prediction")});
  return values;
}

std::vector<PcrValue> replay_phases_of(const MeasurementList& list, const PcrChoice& choice) {
  std::vector<PcrValue> values;
  const auto images = replay_banks(list, pcr::kernel_image, choice);
  for (const std::string& path : choice.chosen_phases())
    for (const PcrValue& image : images)
      values.push_back(
          {image.index, path, or_fail(replay_phases(image.value, path), "PCR prediction")});
  return values;
}

void print_pcrs(const std::vector<PcrValue>& values, JsonForm form) {
  if (form != JsonForm::off) {
    Json banks = Json::object();
    for (const PcrValue& value : values) {
      Json item = Json::object();
      if (value.phase && !value.phase->empty()) item["phase"] = *value.phase;
      item["pcr"] = value.index;
      item["hash"] = hex(value.value);
      banks[std::string(name(value.value.algorithm()))].push_back(item);
    }
    print_json(banks, form);
    return;
  }
  std::string heading;
  for (const PcrValue& value : values) {
    const std::string wanted = heading_of(value);
    if (wanted != heading) note(wanted);
    heading = wanted;
    print_text(std::to_string(value.index) + ":" + std::string(name(value.value.algorithm())) +
               "=" + hex(value.value) + "\n");
  }
}

}  // namespace keelson::tool
