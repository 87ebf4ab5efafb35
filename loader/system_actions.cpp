// SPDX-License-Identifier: MIT
//
// Resets the machine.
#include "loader/system_actions.h"

#include "efi/firmware/system.h"

namespace keelson::loader {
namespace {

Error reset(const Machine& machine, efi::Reset how, std::string_view failure) {
  efi::reset_machine(how);
  machine.log.warn(failure);
  return {Errc::unsupported, failure};
}

}  // namespace

Error reboot(const Machine& machine) {
  return reset(machine, efi::Reset::cold, "the firmware does not reset");
}

Error power_off(const Machine& machine) {
  return reset(machine, efi::Reset::power_off, "the firmware does not power off");
}

Error reboot_to_firmware(const Machine& machine) {
  const auto requested = request_firmware_setup(machine);
  if (!requested.has_value()) {
    machine.log.warn("the firmware's setup cannot be asked for: ", requested.error());
    return requested.error();
  }
  return reboot(machine);
}

}  // namespace keelson::loader
