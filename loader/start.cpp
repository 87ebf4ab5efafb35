// SPDX-License-Identifier: MIT
//
// The steps of a start. `Files` is what was read: it lives until the image has ended, but the image
// itself only until LoadImage has made its copy.
#include "loader/start.h"

#include "efi/firmware/initrd_media.h"
#include "efi/firmware/read_progress.h"
#include "efi/firmware/system.h"
#include "efi/format/command_line.h"
#include "efi/format/device_path.h"
#include "efi/format/measurement.h"
#include "loader/register_watch.h"

namespace keelson::loader {
namespace {

constexpr std::uint64_t largest_image = 4_GiB - 1;  // what a PE file can address
constexpr std::uint64_t largest_initrd = 64_GiB;

// Shows progress, and looks for the key that asks for the menu.
class Watcher final : public efi::ReadObserver {
 public:
  Watcher(const Machine& machine, bool look_for_keys, std::u16string_view name)
      : console_(machine.console),
        look_(look_for_keys),
        progress_(machine.console, machine.clock, name) {}
  void chunk_read(std::uint64_t done, std::uint64_t total) override {
    look();
    progress_.chunk_read(done, total);
  }
  void look() {
    if (!look_ || found_) return;
    const auto key = console_.poll_key();
    found_ = key.has_value() && key->has_value();
  }
  bool found() const { return found_; }

 private:
  efi::Console& console_;
  bool look_;
  bool found_ = false;
  efi::ReadProgress progress_;
};

struct Files {
  Pages image;
  PageList<Pages> initrds;
  PageList<Bytes> initrd_parts;
  std::optional<std::u16string_view> options;  // what LoadOptions will be
  TextArena texts;
};

struct Run {
  const Machine& machine;
  Facts& facts;
  const Chosen& chosen;
  Ending ending;
  Files files;

  Entry& entry() { return facts.list.entries()[chosen.entry]; }
};

// ---- Read ----

Result<Pages> read_one(Run& run, const EspPath& path, std::uint64_t max_size, MemoryLimit limit) {
  run.ending.file = path.text();
  Watcher watcher(run.machine, run.chosen.look_for_keys, path.file_name());
  watcher.look();
  auto file =
      run.facts.volume_of(run.entry()).read_file(path.text(), max_size, limit, &watcher);
  run.ending.interrupted = run.ending.interrupted || watcher.found();
  return file;
}

Result<> read_files(Run& run) {
  const Entry& entry = run.entry();
  run.files.image = TRY(read_one(run, entry.executable, largest_image, MemoryLimit::anywhere));
  // Without bytes LoadImage would read the file itself.
  if (run.files.image.empty()) return fail(Errc::truncated, "the file is empty");
  for (const EspPath& path : entry.initrds) {
    if (run.ending.interrupted) return {};
    Pages initrd = TRY(read_one(run, path, largest_initrd, MemoryLimit::below_4g_preferred));
    const Bytes bytes = initrd.bytes();
    TRY(run.files.initrds.push(std::move(initrd)));
    TRY(run.files.initrd_parts.push(bytes));
  }
  run.ending.file = entry.executable.text();
  run.files.options = TRY(compose_load_options(
      {.initrds = entry.initrds,
       .options = run.chosen.edited.value_or(entry.options),
       .implied = entry.options_implied && !run.chosen.edited,
       .profile = entry.profile},
      run.files.texts));
  return {};
}

// Nothing has been written yet: the last moment for a key.
void look_once_more(Run& run) {
  if (!run.chosen.look_for_keys || run.ending.interrupted) return;
  const auto key = run.machine.console.poll_key();
  run.ending.interrupted = key.has_value() && key->has_value();
}

// ---- Count ----

// All profiles of a UKI share its file, and with it the counter.
void rename_in_list(Facts& facts, const Entry& renamed, const EspPath& path,
                    const BootCount& count) {
  const EspPath old_path = renamed.file;
  const EntrySource source = renamed.source;
  for (Entry& entry : facts.list.entries()) {
    if (entry.source != source || !(entry.file == old_path)) continue;
    if (entry.kind == EntryKind::type2) entry.executable = path;
    entry.file = path;
    entry.count = count;
  }
}

Result<> count_boot(Run& run) {
  const Entry& entry = run.entry();
  remove_boot_count_path(run.machine);
  if (!entry.counts_boots()) return {};
  run.ending.attempt.tries_left = entry.count->tries_left;
  const CountedName name = TRY(parse_counted_name(entry.file.file_name()));
  const BootCount count = after_try(*entry.count);
  const std::u16string_view new_name =
      TRY(write_counted_name(name, count, run.facts.list.arena()));
  const EspPath path =
      TRY(EspPath::join(entry.file.directory(), new_name, run.facts.list.arena()));
  TRY(run.facts.volume_of(entry).rename(run.machine.gate, entry.file.text(), new_name));
  run.ending.attempt.counter_written = true;
  publish_boot_count_path(run.machine, path.text());
  rename_in_list(run.facts, entry, path, count);
  return {};
}

// ---- Verify ----

Result<Bytes> path_of_image(Run& run) {
  const Bytes volume =
      TRY(efi::device_path_of(run.facts.volume_of(run.entry()).device()));
  const std::u16string_view file = run.entry().executable.text();
  const MutableBytes room = TRY(run.files.texts.reserve(
      volume.size() + device_path::file_path_size(file) + device_path::end_size, 8));
  Writer writer(room);
  TRY(device_path::append_file_on(writer, volume, file));
  return writer.done();
}

Result<efi::LoadedImage> verify(Run& run) {
  const Bytes path = TRY(path_of_image(run));
  efi::rearm_watchdog();
  auto image = efi::LoadedImage::load(
      run.machine.self, {.device_path = path,
                         .source = run.files.image.bytes(),
                         .secure_boot = run.facts.secure_boot});
  run.files.image.release();
  return image;
}

// ---- Measure ----

Result<> measure_options(const Machine& machine, std::u16string_view options) {
  MeasurementList list;
  TRY(list.add_command_line(options));
  for (const Measurement& item : list.items()) TRY(machine.tpm.measure(item));
  return {};
}

// ---- Start ----

Result<> start_image(Run& run, efi::LoadedImage& image) {
  const Machine& machine = run.machine;
  if (run.files.options) {
    const auto measured = measure_options(machine, *run.files.options);
    if (!measured.has_value())
      machine.log.tell(Severity::warning, "the options are not measured: ", measured.error());
    TRY(image.set_load_options(*run.files.options));
  }
  efi::InitrdMedia initrd;
  TRY(initrd.serve(run.files.initrd_parts.items(), efi::InitrdMedia::LastPart::as_it_is));
  publish_selected(machine, run.entry(), run.facts.wishes.sources);
  machine.times.mark("loader-prepare");
  proceed_despite(machine.times.publish(machine.variables()), "only durations are lost");
  proceed_despite(machine.log.publish(machine.variables()), "only messages are lost");
  publish_time(machine, loader_interface::time_exec);
  efi::rearm_watchdog();
  return image.start();
}

// What the image last put into the log, if that was an error: its status says little.
std::string_view last_words_of_image(Run& run) {
  const auto added = run.machine.log.adopt(run.machine.variables());
  if (!added.has_value()) return {};
  constexpr std::string_view mark = ": error: ";
  std::string_view line = *added;
  if (line.ends_with('\n')) line.remove_suffix(1);
  line = line.substr(line.rfind('\n') + 1);  // all of it, if there is no other
  const std::size_t at = line.find(mark);
  if (at == line.npos) return {};
  const auto kept = run.facts.texts.keep(line.substr(at + mark.size()));
  return kept.has_value() ? *kept : std::string_view();
}

Ending failed(Run& run, Failure failure, const Error& error) {
  run.ending.failure = failure;
  run.ending.error = error;
  return run.ending;
}

}  // namespace

Ending start(const Machine& machine, Facts& facts, const Chosen& chosen) {
  Run run{.machine = machine,
          .facts = facts,
          .chosen = chosen,
          .ending = {.entry = chosen.entry},
          .files = {}};
  const RegisterWatch registers(machine.tpm);
  const Result<> read = read_files(run);
  look_once_more(run);
  if (run.ending.interrupted) return run.ending;
  if (!read.has_value()) return failed(run, Failure::read, read.error());
  machine.times.mark("loader-read");

  const Result<> counted = count_boot(run);
  if (!counted.has_value())
    machine.log.warn("this boot of ", run.entry().id, " is not counted: ", counted.error());

  auto image = verify(run);
  if (!image.has_value()) return failed(run, Failure::verify, image.error());
  machine.times.mark("loader-verify");

  const Result<> started = start_image(run, *image);
  run.ending.attempt.registers_extended = registers.extended();
  run.ending.file = run.entry().executable.text();
  run.ending.said = last_words_of_image(run);
  if (!started.has_value()) return failed(run, Failure::start, started.error());
  run.ending.failure = Failure::start_returned;
  return run.ending;
}

void describe(Line& line, const Ending& ending, const Facts& facts) {
  print(line, ending.file);
  const Errc code = ending.error.code;
  switch (ending.failure) {
    case Failure::read: line.add(" could not be read: "); break;
    case Failure::verify:
      if (code == Errc::denied) {
        line.add(facts.secure_boot ? " was refused: Secure Boot does not trust it."
                                   : " was refused by the firmware.");
        return;
      }
      if (code == Errc::unsupported) {
        line.add(" is no program for this machine.");
        return;
      }
      line.add(" could not be loaded: ");
      break;
    case Failure::start_returned: line.add(" has ended."); return;
    default: line.add(" could not be started: "); break;
  }
  if (ending.said.empty())
    print(line, ending.error);
  else
    print(line, ending.said);
  line.add(".");
}

}  // namespace keelson::loader
