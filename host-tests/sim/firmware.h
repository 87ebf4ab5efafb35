// SPDX-License-Identifier: MIT
//
// Owns the simulated machine: puts the devices behind one system table, runs programs on it as a
// firmware would, and says what they left behind. Volumes and non-volatile variables outlive a run;
// everything else begins anew with each.
#pragma once

#include <csetjmp>
#include <functional>
#include <memory>

#include "host-tests/sim/boot_services.h"
#include "host-tests/sim/calls.h"
#include "host-tests/sim/clock.h"
#include "host-tests/sim/configuration.h"
#include "host-tests/sim/console.h"
#include "host-tests/sim/device_tree_fixup.h"
#include "host-tests/sim/disk.h"
#include "host-tests/sim/events.h"
#include "host-tests/sim/graphics.h"
#include "host-tests/sim/handles.h"
#include "host-tests/sim/hardware.h"
#include "host-tests/sim/images.h"
#include "host-tests/sim/memory.h"
#include "host-tests/sim/random.h"
#include "host-tests/sim/runtime_services.h"
#include "host-tests/sim/security.h"
#include "host-tests/sim/tpm.h"
#include "host-tests/sim/variables.h"
#include "host-tests/sim/volume.h"

namespace keelson::sim {

// How a run ended.
enum class End : std::uint8_t {
  returned,   // the program gave control back, with `status`
  took_over,  // a payload keeps it
  reset,      // ResetSystem, or a payload that resets
  powered_off,
  watchdog,  // nobody re-armed it for five minutes
  hung,      // waits for what will never happen, or calls without end
};
std::string_view name(End end);

struct Run {
  End end = End::hung;
  Status status = 0;
  std::vector<Started> started;  // in order; the program that was run is the first
  std::uint64_t calls = 0;
  std::uint64_t duration_ns = 0;  // of virtual time
  // What a correct program would not have done or left: memory, open protocols and files, events,
  // protocols. Of a program that gave control back; of others, only what was wrong at once.
  std::vector<std::string> problems;

  // Names of what was started, joined with blanks: "loader stub kernel".
  std::string started_text() const;
  const Started* find(std::string_view program) const;
};

struct Options {
  bool tpm = true;
  std::vector<HashAlgorithm> banks = {all_hash_algorithms.begin(), all_hash_algorithms.end()};
  bool confidential = false;
  bool secure_boot = false;
  ShimVersion shim = ShimVersion::none;
  // Loads images of other machines, but does not start them (as 32-bit firmware on 64-bit CPUs).
  bool cross_machine = false;
  bool xbootldr = false;
  bool memory_attributes = false;
  bool random_numbers = false;
  bool graphics = false;         // on the handle of the console
  bool console_control = false;  // text and graphics are modes
  // Only what the firmware needed itself is connected: the volume of XBOOTLDR appears when somebody
  // connects the disk.
  bool fast_boot = false;
  std::uint64_t seed = 1;
};

class Firmware {
 public:
  Firmware() : Firmware(Options()) {}
  explicit Firmware(const Options& options);
  Firmware(const Firmware&) = delete;
  Firmware& operator=(const Firmware&) = delete;
  ~Firmware();

  Calls& calls() { return calls_; }
  Clock& clock() { return clock_; }
  Events& events() { return events_; }
  Handles& handles() { return *handles_; }
  Memory& memory() { return memory_; }
  Images& images() { return images_; }
  Security& security() { return security_; }
  Variables& variables() { return variables_; }
  Configuration& configuration() { return configuration_; }
  Hardware& hardware() { return hardware_; }
  DeviceTreeFixup& device_tree_fixup() { return device_tree_fixup_; }
  Tpm& tpm() { return tpm_; }
  ConfidentialPlatform& confidential() { return confidential_; }
  Screen& screen() { return screen_; }
  Graphics& graphics() { return graphics_; }
  Random& random() { return random_; }
  Keyboard& keys() { return keys_; }
  Disk& disk() { return disk_; }
  Volume& esp() { return esp_; }
  Volume& xbootldr() { return xbootldr_; }
  const Options& options() const { return options_; }
  EFI_SYSTEM_TABLE& table() { return table_; }
  Handle esp_handle() const { return esp_handle_; }
  Handle xbootldr_handle() const { return xbootldr_handle_; }  // null until connected
  Handle disk_handle() const { return disk_handle_; }

  static constexpr Guid esp_guid = "11111111-2222-4333-8444-555555555555"_guid;
  static constexpr Guid xbootldr_guid = "66666666-7777-4888-8999-aaaaaaaaaaaa"_guid;

  // Switches the machine on and starts a file of the ESP. `options` as LoadOptions, with NUL.
  Run run(std::u16string_view path, std::u16string_view options = {});
  // The same, and again after each reset, at most `most` times. The last run.
  Run run_through_resets(std::u16string_view path, int most, int* boots = nullptr);
  // Switches the machine on and runs code of a test as a program from the ESP.
  using Body = std::function<Result<>(efi::Image& self)>;
  Run run(Body body);
  // Code of a test that needs pages, without a program that would be counted or checked:
  // predictions.
  void compute(const std::function<void()>& body);

  // ---- For the services ----
  static Firmware& current();
  [[noreturn]] void end_run(End end);
  void set_watchdog(std::uint64_t seconds);
  // Time has passed: the watchdog may end the run.
  void look_at_watchdog();
  // A firmware that ignores ResetSystem.
  void set_resets(bool resets) { resets_ = resets; }
  bool resets() const { return resets_; }
  Volume* volume_on(Handle device);
  // Into PCR 4, as LoadImage does.
  void measure_image(Bytes file, Bytes event);
  // Drivers bind to the disk. False if that changed nothing.
  bool connect(Handle controller);

 private:
  void power_on();
  void install_devices();
  void install_volume(std::size_t partition, Volume& volume, Handle* handle);
  Run run_image(Handle image);
  void start_watched(Handle image);
  void look_for_leftovers(Run& run);

  Options options_;
  Calls calls_;
  Clock clock_;
  Events events_;
  Memory memory_;
  std::unique_ptr<Handles> handles_;
  Security security_;
  Images images_;
  Variables variables_;
  Tpm tpm_;
  ConfidentialPlatform confidential_;
  Screen screen_;
  Graphics graphics_;
  Random random_;
  Keyboard keys_;
  Disk disk_;
  Volume esp_;
  Volume xbootldr_;
  BootServices boot_services_;
  RuntimeServices runtime_services_;
  EFI_SYSTEM_TABLE table_{};
  Configuration configuration_;
  Hardware hardware_;
  DeviceTreeFixup device_tree_fixup_;
  Handle disk_handle_ = nullptr;
  Handle esp_handle_ = nullptr;
  Handle xbootldr_handle_ = nullptr;
  Handle console_in_ = nullptr;
  Handle console_out_ = nullptr;
  std::size_t protocols_at_start_ = 0;
  std::uint64_t watchdog_ns_ = 0;
  bool resets_ = true;
  std::jmp_buf ended_;
  End end_ = End::hung;
  Status status_ = 0;
};

}  // namespace keelson::sim
