// SPDX-License-Identifier: MIT
//
// Power-on, runs, and what is left behind (firmware.h).
#include "host-tests/sim/firmware.h"

#include <algorithm>

#include "efi/format/device_path.h"
#include "efi/format/gpt.h"
#include "stub/confidential_vm.h"

namespace keelson::sim {
namespace {

constexpr std::uint64_t most_calls = 500'000;
constexpr std::uint64_t ns_per_second = 1'000'000'000;
constexpr std::size_t protocols_of_volume = 3;
constexpr std::string_view body_name = "test body";

char16_t vendor[] = u"Keelson Simulation";

Firmware* running = nullptr;
const Firmware::Body* running_body = nullptr;

const efi::Program body_program = {u"test body",
                                   [](efi::Image& self) { return (*running_body)(self); }};

std::string ascii(std::u16string_view text) { return std::string(text.begin(), text.end()); }

Bytes one_byte(bool value) {
  static constexpr std::byte values[] = {std::byte{0}, std::byte{1}};
  return Bytes(&values[value ? 1 : 0], 1);
}

}  // namespace

std::string_view name(End end) {
  switch (end) {
    case End::returned:
      return "returned";
    case End::took_over:
      return "took over";
    case End::reset:
      return "reset";
    case End::powered_off:
      return "powered off";
    case End::watchdog:
      return "watchdog";
    case End::hung:
      return "hung";
  }
  return "";
}

std::string Run::started_text() const {
  std::string text;
  for (const Started& item : started) text += (text.empty() ? "" : " ") + item.program;
  return text;
}

const Started* Run::find(std::string_view program) const {
  const auto found = std::ranges::find(started, program, &Started::program);
  return found == started.end() ? nullptr : &*found;
}

Firmware& Firmware::current() { return *running; }

Firmware::Firmware(const Options& options)
    : options_(options),
      events_(clock_),
      memory_(calls_),
      security_(*this),
      images_(*this),
      variables_(calls_, options.seed),
      tpm_(calls_, options.banks),
      confidential_(calls_),
      screen_(calls_),
      graphics_(calls_),
      random_(calls_, clock_),
      keys_(calls_, events_, clock_),
      disk_(calls_, {{.type = gpt::type_esp, .guid = esp_guid, .blocks = 1'000'000},
                     {.type = options.xbootldr ? gpt::type_xbootldr : gpt::type_esp,
                      .guid = xbootldr_guid,
                      .blocks = 1'000'000}}),
      esp_(calls_, options.seed),
      xbootldr_(calls_, options.seed + 1),
      configuration_(calls_, table_),
      hardware_(calls_, configuration_),
      device_tree_fixup_(calls_) {
  images_.add_program(body_name, body_program);
  calls_.set_limit(most_calls, [this] { end_run(End::hung); });
  calls_.set_clock([this](std::uint64_t seconds) {
    clock_.advance_ns(seconds * ns_per_second);
    look_at_watchdog();
  });

  table_.Hdr.Signature = EFI_SYSTEM_TABLE_SIGNATURE;
  table_.Hdr.Revision = 2 << 16 | 70;
  table_.Hdr.HeaderSize = sizeof(table_);
  table_.FirmwareVendor = vendor;
  table_.FirmwareRevision = 1 << 16 | 7;
  table_.BootServices = &boot_services_.table;
  table_.RuntimeServices = &runtime_services_.table;
  table_.ConIn = keys_.plain();
  table_.ConOut = screen_.protocol();
  table_.StdErr = screen_.protocol();
  variables_.set(loader_interface::secure_boot, one_byte(options.secure_boot));
  power_on();
}

Firmware::~Firmware() {
  if (running == this) running = nullptr;
  if (Clock::running == &clock_) Clock::running = nullptr;
}

void Firmware::install_volume(std::size_t partition, Volume& volume, Handle* handle) {
  namespace guid = efi::protocol_guid;
  *handle = handles_->add(nullptr, guid::device_path,
                          const_cast<std::byte*>(disk_.partition_path(partition).data()));
  handles_->add(*handle, guid::block_io, disk_.partition_protocol(partition));
  handles_->add(*handle, guid::simple_file_system, volume.protocol());
}

void Firmware::install_devices() {
  namespace guid = efi::protocol_guid;
  handles_ = std::make_unique<Handles>();
  handles_->permute(options_.seed);
  disk_handle_ =
      handles_->add(nullptr, guid::device_path, const_cast<std::byte*>(disk_.path().data()));
  handles_->add(disk_handle_, guid::block_io, disk_.protocol());
  install_volume(0, esp_, &esp_handle_);
  xbootldr_handle_ = nullptr;
  if (options_.xbootldr && !options_.fast_boot) install_volume(1, xbootldr_, &xbootldr_handle_);
  console_in_ = handles_->add(nullptr, guid::text_input_ex, keys_.extended());
  console_out_ = handles_->add(nullptr, guid::text_output, screen_.protocol());
  table_.ConsoleInHandle = console_in_;
  table_.ConsoleOutHandle = console_out_;
  table_.StandardErrorHandle = console_out_;
  security_.install(*handles_);
  hardware_.install(*handles_, console_out_);
  if (device_tree_fixup_.enabled())
    handles_->add(nullptr, guid::device_tree_fixup, device_tree_fixup_.protocol());
  if (options_.graphics) handles_->add(console_out_, guid::graphics_output, graphics_.protocol());
  if (options_.console_control) handles_->add(nullptr, guid::console_control, graphics_.control());
  if (options_.random_numbers) handles_->add(nullptr, guid::rng, random_.protocol());
  if (options_.tpm) handles_->add(nullptr, guid::tcg2, tpm_.protocol());
  if (options_.confidential) handles_->add(nullptr, guid::cc_measurement, confidential_.protocol());
  if (options_.memory_attributes)
    handles_->add(nullptr, guid::memory_attribute, memory_.attribute_protocol());
}

// Power-on after power-off: only disks and non-volatile variables know of the time before.
void Firmware::power_on() {
  images_.power_cycle();
  memory_.power_cycle();
  security_.power_cycle();
  events_.close_timers();
  esp_.power_cycle();
  xbootldr_.power_cycle();
  variables_.power_cycle();
  variables_.set(loader_interface::secure_boot, one_byte(options_.secure_boot));
  tpm_.power_cycle();
  confidential_.power_cycle();
  screen_.power_cycle();
  graphics_.power_cycle();
  configuration_.power_cycle();
  calls_.disarm();
  calls_.clear();
  install_devices();
  // What every firmware measures before it starts anything.
  constexpr std::uint32_t ev_separator = 4;
  constexpr std::byte zeros[4] = {};
  if (options_.tpm)
    for (std::uint32_t pcr = 0; pcr < 8; ++pcr) tpm_.measure(pcr, ev_separator, zeros, zeros);
}

bool Firmware::connect(Handle controller) {
  if (controller != disk_handle_ || !options_.xbootldr || xbootldr_handle_ != nullptr) return false;
  install_volume(1, xbootldr_, &xbootldr_handle_);
  protocols_at_start_ += protocols_of_volume;
  return true;
}

Volume* Firmware::volume_on(Handle device) {
  if (device == nullptr) return nullptr;
  if (device == esp_handle_) return &esp_;
  return device == xbootldr_handle_ ? &xbootldr_ : nullptr;
}

void Firmware::measure_image(Bytes file, Bytes event) {
  if (options_.tpm) tpm_.measure_image(file, event);
  if (options_.confidential) confidential_.measure_image(file, event);
}

void Firmware::set_watchdog(std::uint64_t seconds) {
  watchdog_ns_ = seconds == 0 ? 0 : clock_.now_ns() + seconds * ns_per_second;
}

void Firmware::look_at_watchdog() {
  if (watchdog_ns_ != 0 && clock_.now_ns() > watchdog_ns_) end_run(End::watchdog);
}

void Firmware::end_run(End end) {
  end_ = end;
  std::longjmp(ended_, 1);
}

// No local here owns anything when control does not come back.
void Firmware::start_watched(Handle image) {
  if (setjmp(ended_) != 0) return;
  status_ = images_.start(image);
  end_ = End::returned;
}

Run Firmware::run_image(Handle image) {
  Firmware* const outer = std::exchange(running, this);
  Clock* const outer_clock = std::exchange(Clock::running, &clock_);
  const std::uint64_t began_ns = clock_.now_ns();
  protocols_at_start_ = handles_->protocol_count() - 1;  // without the image's own
  configuration_.watch();
  status_ = 0;
  set_watchdog(300);
  calls_.arm();
  start_watched(image);
  calls_.disarm();
  running = outer;
  Clock::running = outer_clock;

  Run run{.end = end_,
          .status = status_,
          .started = images_.started(),
          .calls = calls_.count(),
          .duration_ns = clock_.now_ns() - began_ns,
          .problems = {}};
  look_for_leftovers(run);
  return run;
}

void Firmware::look_for_leftovers(Run& run) {
  const auto add_all = [&](std::string_view what, const std::vector<std::string>& items) {
    for (const std::string& item : items) run.problems.push_back(std::string(what) + item);
  };
  add_all("", memory_.problems());
  add_all("", handles_->problems());
  add_all("", images_.problems());
  if (run.end == End::hung || run.end == End::watchdog)
    run.problems.push_back("the machine " + std::string(name(run.end)));
  if (security_.is_hooked()) run.problems.push_back("the firmware's verification is still hooked");
  if (run.end != End::returned) return;
  if (options_.console_control && graphics_.shows_graphics())
    run.problems.push_back("not restored: the screen shows graphics");
  add_all("not freed: ", memory_.leaks());
  add_all("not closed: ", handles_->still_open());
  add_all("not restored: ", configuration_.changes());
  for (const Volume* volume : {&esp_, &xbootldr_})
    for (const auto& path : volume->open_paths())
      run.problems.push_back("file not closed: " + ascii(path));
  if (events_.timer_count() != 0) run.problems.push_back("event not closed");
  if (images_.loaded_count() != 0) run.problems.push_back("image not unloaded");
  if (handles_->protocol_count() != protocols_at_start_)
    run.problems.push_back("protocols were left installed, or taken away");
}

Run Firmware::run(std::u16string_view path, std::u16string_view options) {
  power_on();
  // As the boot manager does it.
  const Bytes volume = disk_.partition_path(0);
  std::vector<std::byte> buffer(volume.size() + device_path::file_path_size(path) +
                                device_path::end_size);
  Writer writer(buffer);
  const auto written = device_path::append_file_on(writer, volume, path);
  Handle image = nullptr;
  Status loaded = efi::status::invalid_parameter;
  if (written.has_value())
    compute([&] { loaded = images_.load(true, nullptr, efi::as_device_path(buffer), {}, &image); });
  if (efi::failed(loaded)) {
    Run refused;
    refused.end = End::returned;
    refused.status = loaded;
    refused.problems.push_back("the firmware itself cannot load the program, status " +
                               std::to_string(loaded & 0xff));
    return refused;
  }
  std::u16string text(options);
  if (!options.empty()) {
    images_.record(image)->LoadOptions = text.data();
    images_.record(image)->LoadOptionsSize =
        static_cast<UINT32>((text.size() + 1) * sizeof(char16_t));
  }
  return run_image(image);
}

Run Firmware::run_through_resets(std::u16string_view path, int most, int* boots) {
  Run last = run(path);
  int count = 1;
  for (; last.end == End::reset && count < most; ++count) last = run(path);
  if (boots != nullptr) *boots = count;
  return last;
}

Run Firmware::run(Body body) {
  power_on();
  const Body* const outer = std::exchange(running_body, &body);
  Run run = run_image(images_.make(esp_handle_, body_name));
  running_body = outer;
  return run;
}

void Firmware::compute(const std::function<void()>& body) {
  Firmware* const outer = std::exchange(running, this);
  const Unwatched unwatched(calls_);
  const Body wrapped = [&](efi::Image&) -> Result<> {
    body();
    return {};
  };
  const Body* const outer_body = std::exchange(running_body, &wrapped);
  const Handle image = images_.make(esp_handle_, body_name);
  efi::run(image, &table_, body_program);
  images_.unload(image);
  running_body = outer_body;
  running = outer;
}

}  // namespace keelson::sim

namespace keelson::stub {

// The simulation's own (stub/confidential_vm.h): a guest whose registers the CC protocol shows.
bool in_confidential_vm() { return sim::Firmware::current().options().confidential; }

}  // namespace keelson::stub
