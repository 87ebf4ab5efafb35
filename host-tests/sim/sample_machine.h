// SPDX-License-Identifier: MIT
//
// Owns the machine that most tests boot: the simulation with loader and stub registered, the loader
// on the ESP, UKIs by name.
#pragma once

#include <ostream>
#include <string>

#include "efi/format/measurement.h"
#include "host-tests/sim/firmware.h"
#include "host-tests/sim/sample_images.h"
#include "loader/main.h"
#include "stub/main.h"

namespace keelson::sim {

constexpr std::u16string_view loader_path = u"\\EFI\\keelson\\keelson-bootx64.efi";

inline std::string ascii(std::u16string_view text) { return {text.begin(), text.end()}; }

class Machine : public Firmware {
 public:
  Machine() : Machine(Options()) {}
  explicit Machine(const Options& options) : Firmware(options) {
    images().add_program("loader", {u"keelson-boot", loader::boot});
    images().add_program("stub", {u"keelson-stub", stub::boot});
    payload("kernel", Ending::takes_over());
    const Buffer loader = program_image("loader");
    images().trust(loader);
    esp().add(loader_path, loader);
  }

  void payload(std::string_view name, const Ending& ending) {
    images().add_payload(name, [ending](Firmware&, Handle) { return ending; });
  }
  // A UKI that Secure Boot trusts.
  Buffer add_uki(std::u16string_view path, const UkiSample& sample = {}) {
    const Buffer uki = uki_image(sample);
    images().trust(uki);
    esp().add(path, uki);
    return uki;
  }
  // An image of exactly these sections behind a stub, or behind the base of add-ons; trusted.
  Buffer add_image(std::u16string_view path, std::string_view program,
                   const std::vector<sample::Section>& sections) {
    const Buffer image = program_image(program, sections);
    images().trust(image);
    esp().add(path, image);
    return image;
  }
  Buffer add_addon(std::u16string_view path, const std::vector<sample::Section>& sections) {
    return add_image(path, "addon", sections);
  }
  // Any other image, trusted.
  Buffer add_program(std::u16string_view path, std::string_view name) {
    const Buffer image = program_image(name);
    images().trust(image);
    esp().add(path, image);
    return image;
  }

  Run boot() { return run(loader_path); }
  // Until it no longer resets.
  Run boot_through_resets(int most, int* boots = nullptr) {
    return run_through_resets(loader_path, most, boots);
  }

  std::optional<std::u16string> text(const loader_interface::Name& name) {
    return variables().text(name);
  }
  bool has(const loader_interface::Name& name) { return variables().exists(name); }

  // What a register should hold after those measurements, in hex.
  std::string predicted(HashAlgorithm bank, std::uint32_t pcr,
                        const std::function<void(MeasurementList&)>& measure) {
    std::string hex;
    compute([&] {
      MeasurementList list;
      measure(list);
      const auto value = replay(list.items(), pcr, Digest(bank));
      if (value.has_value()) hex = std::string_view(value->hex());
    });
    return hex;
  }
  // PCR 11 after a UKI, profile 0.
  std::string predicted_kernel_pcr(HashAlgorithm bank, const Buffer& image) {
    return predicted(bank, pcr::kernel_image, [&](MeasurementList& list) {
      const auto uki = uki::Uki::parse(image, pe::Layout::file);
      if (!uki.has_value()) return;
      const auto profile = uki->profile(0);
      if (profile.has_value())
        proceed_despite(list.add_uki({*uki, uki->effective(*profile)}), "the value will differ");
    });
  }
  std::string register_hex(HashAlgorithm bank, std::uint32_t pcr) {
    return std::string(std::string_view(tpm().pcr(bank, pcr).hex()));
  }
};

// For messages of tests.
inline std::string describe(const Run& run) {
  std::string text(name(run.end));
  text += ", started: " + run.started_text();
  for (const std::string& problem : run.problems) text += "\n  " + problem;
  return text;
}
inline std::ostream& operator<<(std::ostream& out, const Run& run) { return out << describe(run); }

}  // namespace keelson::sim
