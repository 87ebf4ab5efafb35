// SPDX-License-Identifier: MIT
//
// Owns finding the ACPI PM timer (ACPI 6.4: 5.2.5 RSDP, 5.2.7 RSDT, 5.2.8 XSDT, 5.2.9 FADT), with
// which the CPU's counter is calibrated where nothing names its frequency.
#pragma once

#include <cstdint>
#include <optional>

namespace keelson::efi {

struct AcpiTimer {
  static constexpr std::uint64_t frequency = 3'579'545;  // Hz
  std::uint16_t port = 0;
  std::uint32_t mask = 0;  // of the bits that count: 24 or 32
};
// nullopt if the tables name none in I/O space.
std::optional<AcpiTimer> find_acpi_timer();

}  // namespace keelson::efi
