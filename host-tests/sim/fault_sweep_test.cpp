// SPDX-License-Identifier: MIT
//
// Fails every firmware call of a whole boot in turn: loader, UKI, stub, kernel, with TPM, Secure
// Boot, boot counters, XBOOTLDR and page rights. What may follow is written down per step and call
// (design, section 3); a call without a row fails the test, so that a new call gets one.
#include <gtest/gtest.h>

#include <algorithm>

#include "host-tests/format/sample_device_tree.h"
#include "host-tests/format/sample_smbios.h"
#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using sim::Call;
using sim::End;
using sim::Ending;
using sim::Machine;

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::u16string_view seed_file = u"\\loader\\random-seed";

// ---- What is booted ----

// The newer entry is counted and becomes the default; the older one is what is left if it fails.
struct Configuration {
  std::string_view name;
  std::u16string_view new_file;  // by which the entry is listed, with its counter
  std::u16string_view new_renamed;
  std::string_view directory;  // where it is listed
  std::string_view good;       // what is started if nothing fails
  std::string_view fallback;   // if the newer one cannot be
  bool old_is_uki;
  bool has_companions = false;   // the newer entry
  bool has_secrets = false;      // splash, random seed and boot secret too
  bool behind_old_shim = false;  // and only the owner of the machine has signed the images
};
constexpr Configuration configurations[] = {
    {.name = "Type 2",
     .new_file = u"\\EFI\\Linux\\os-2+3.efi",
     .new_renamed = u"\\EFI\\Linux\\os-2+2-1.efi",
     .directory = "\\EFI\\Linux",
     .good = "loader stub new",
     .fallback = "loader old",
     .old_is_uki = false},
    {.name = "Type 1 with kernel, initrds and options",
     .new_file = u"\\loader\\entries\\new+3.conf",
     .new_renamed = u"\\loader\\entries\\new+2-1.conf",
     .directory = "\\loader\\entries",
     .good = "loader new",
     .fallback = "loader stub old",
     .old_is_uki = true},
    {.name = "Type 1 with a UKI as kernel, initrd and options",
     .new_file = u"\\loader\\entries\\new+3.conf",
     .new_renamed = u"\\loader\\entries\\new+2-1.conf",
     .directory = "\\loader\\entries",
     .good = "loader stub new",
     .fallback = "loader stub old",
     .old_is_uki = true},
    {.name = "Type 2 with add-ons and companion files",
     .new_file = u"\\EFI\\Linux\\os-2+3.efi",
     .new_renamed = u"\\EFI\\Linux\\os-2+2-1.efi",
     .directory = "\\EFI\\Linux",
     .good = "loader stub new",
     .fallback = "loader old",
     .old_is_uki = false,
     .has_companions = true},
    {.name = "Type 2 with a splash, a random seed and a boot secret",
     .new_file = u"\\EFI\\Linux\\os-2+3.efi",
     .new_renamed = u"\\EFI\\Linux\\os-2+2-1.efi",
     .directory = "\\EFI\\Linux",
     .good = "loader stub new",
     .fallback = "loader old",
     .old_is_uki = false,
     .has_secrets = true},
    {.name = "Type 2 behind a shim that has to be asked",
     .new_file = u"\\EFI\\Linux\\os-2+3.efi",
     .new_renamed = u"\\EFI\\Linux\\os-2+2-1.efi",
     .directory = "\\EFI\\Linux",
     .good = "loader stub new",
     .fallback = "loader old",
     .old_is_uki = false,
     .behind_old_shim = true},
};

// What the firmware's device tree and a candidate of the add-on name.
const std::string sampled_board("acme,mk2\0", 9);

struct Samples {
  sim::Buffer new_uki, old_uki, new_kernel, old_kernel, addon;
};
const Samples& samples() {
  static const Samples made = {
      .new_uki = sim::uki_image(
          {.kernel = "new", .version = "2", .cmdline = "quiet", .splash = sim::splash_picture()}),
      .old_uki = sim::uki_image({.kernel = "old", .version = "1"}),
      .new_kernel = sim::kernel_image("new"),
      .old_kernel = sim::kernel_image("old"),
      .addon = sim::program_image(
          "addon", {{.name = ".cmdline", .content = "added"},
                    {.name = ".ucode", .content = "microcode"},
                    {.name = ".initrd", .content = "added initrd"},
                    {.name = ".dtbauto", .content = sample::device_tree_of(sampled_board)}})};
  return made;
}

class Swept : public Machine {
 public:
  explicit Swept(const Configuration& configuration)
      : Machine({.secure_boot = true,
                 .shim = configuration.behind_old_shim ? sim::ShimVersion::before_16
                                                       : sim::ShimVersion::none,
                 .xbootldr = true,
                 .memory_attributes = true,
                 .random_numbers = configuration.has_secrets,
                 .graphics = configuration.has_secrets,
                 .console_control = configuration.has_secrets}),
        configuration_(configuration) {
    payload("new", Ending::takes_over());
    payload("old", Ending::takes_over());
    esp().add(u"\\loader\\loader.conf", "auto-reboot no\nauto-poweroff no\n");
    for (const sim::Buffer* image : {&samples().new_uki, &samples().old_uki, &samples().new_kernel,
                                     &samples().old_kernel, &samples().addon}) {
      if (configuration.behind_old_shim)
        security().trust_mok(*image);
      else
        images().trust(*image);
    }
    add_entries();
    if (configuration.has_companions) add_hardware();
  }

  const Configuration& configuration() const { return configuration_; }

 private:
  // What the stub asks about, and the device tree that an add-on replaces.
  void add_hardware() {
    hardware().set_smbios_3(
        sample::smbios_system({}) +
        sample::smbios_oem_strings({"io.systemd.stub.kernel-cmdline-extra=words"}) +
        sample::smbios_end());
    hardware().add_panel(std::string(128, 'x'));
    hardware().add_pci_device(0x1af4, 0x1003);
    device_tree_fixup().enable("fixed");
    const std::string tree = sample::device_tree_of(sampled_board);
    device_tree_.resize(tree.size() / sizeof(std::uint32_t) + 1);
    __builtin_memcpy(device_tree_.data(), tree.data(), tree.size());
    Firmware::configuration().set(efi::table_guid::device_tree, device_tree_.data());
  }
  void add_entries() {
    if (configuration_.old_is_uki) {
      esp().add(u"\\EFI\\Linux\\os-1.efi", samples().old_uki);
    } else {
      esp().add(u"\\old-vmlinuz", samples().old_kernel);
      esp().add(u"\\loader\\entries\\old.conf",
                "title Old\nsort-key sample\nversion 1\nlinux /old-vmlinuz\n");
    }
    const std::string_view head = "title New\nsort-key sample\nversion 2\n";
    if (configuration_.has_companions) {
      const std::u16string own = u"\\EFI\\Linux\\os-2.efi.extra.d\\";
      esp().add(own + u"a.addon.efi", samples().addon);
      esp().add(own + u"a.cred", "credential");
      esp().add(own + u"a.raw", "system extension");
      esp().add(u"\\loader\\addons\\g.addon.efi", samples().addon);
      esp().add(u"\\loader\\credentials\\g.cred", "global");
      esp().add(u"\\loader\\extensions\\g.confext.raw", "global configuration");
    }
    if (configuration_.has_secrets) {
      esp().add(seed_file, std::string(64, 's'));
      esp().add(u"\\loader\\boot-secret-mixin", std::string(32, 'm'));
    }
    if (!configuration_.old_is_uki) {
      esp().add(configuration_.new_file, samples().new_uki);
    } else if (configuration_.name == configurations[1].name) {
      esp().add(u"\\vmlinuz", samples().new_kernel);
      esp().add(u"\\one.img", "first initrd");
      esp().add(u"\\two.img", "second");
      esp().add(configuration_.new_file,
                std::string(head) +
                    "linux /vmlinuz\ninitrd /one.img\ninitrd /two.img\noptions quiet splash\n");
    } else {
      esp().add(u"\\side.img", "side initrd");
      esp().add(u"\\new.uki", samples().new_uki);
      esp().add(configuration_.new_file,
                std::string(head) + "linux /new.uki\ninitrd /side.img\noptions passed\n");
    }
  }

  const Configuration& configuration_;
  std::vector<std::uint32_t> device_tree_;
};

// ---- Steps of the boot ----

enum class Step : std::uint8_t {
  begin,     // until our own volume is open
  settings,  // loader.conf, variables, XBOOTLDR
  unlisted,  // directories are read, the newer entry has not been seen
  listing,   // the newer entry is taken up
  listed,    // until its files are read
  read,
  count,
  verify,
  prepare,  // measured options, initrd, variables, StartImage
  stub,
};
constexpr std::string_view step_names[] = {"begin", "settings", "unlisted", "listing", "listed",
                                           "read",  "count",    "verify",   "prepare", "stub"};

// The step of each call of a boot in which nothing fails. One call moves on at a time.
std::vector<Step> steps_of(const std::vector<Call>& calls, const Configuration& configuration) {
  const std::string entry = sim::ascii(configuration.new_file);
  std::vector<Step> steps;
  Step step = Step::begin;
  std::string_view previous;
  bool loaded = false;
  for (const Call& call : calls) {
    if (call.number == 0) continue;
    const bool opens = call.name == "File.Open";
    if (step == Step::begin && previous == "OpenVolume") step = Step::settings;
    if (step == Step::settings && opens && call.detail == "\\EFI\\Linux") step = Step::unlisted;
    if (step == Step::unlisted && opens && call.detail == entry) {
      step = Step::listing;
    } else if (step == Step::listing && call.name == "File.Read" &&
               call.detail == configuration.directory) {
      step = Step::listed;
    }
    // The keyboard is looked for just before; the image is opened for the second time.
    if (step == Step::listed && opens && call.detail.find("\\loader\\") == std::string::npos &&
        previous == "CheckEvent")
      step = Step::read;
    if (step == Step::read && call.name == "File.GetInfo" && call.detail == "\\")
      step = Step::count;
    if (step == Step::count && call.name == "HandleProtocol") step = Step::verify;
    if (step == Step::verify && loaded && previous == "HandleProtocol") step = Step::prepare;
    loaded = loaded || call.name == "LoadImage";
    if (step == Step::prepare && previous == "StartImage") step = Step::stub;
    steps.push_back(step);
    previous = call.name;
  }
  return steps;
}

// ---- What may follow ----

enum Outcome : std::uint8_t {
  boots_new = 1,        // as if nothing had happened
  boots_old = 2,        // at once: the newer entry is not in the list
  boots_old_late = 4,   // after a message and 30 s; the newer one may have been tried
  resets = 8,           // after a message and 5 s (the counter was written) or 30 s
  returns = 16,         // to the firmware, with an error
  resets_at_once = 32,  // the same, but nobody could wait
};
using Outcomes = unsigned;

std::string text_of(Outcomes outcomes) {
  std::string text;
  if (outcomes & boots_new) text += " boots-new";
  if (outcomes & boots_old) text += " boots-old";
  if (outcomes & boots_old_late) text += " boots-old-after-30s";
  if (outcomes & resets) text += " resets";
  if (outcomes & returns) text += " returns";
  if (outcomes & resets_at_once) text += " resets-at-once";
  return text.empty() ? " nothing-allowed" : text;
}

struct Rule {
  Step first, last;
  std::string_view call;  // its beginning; empty: any
  std::string_view
      detail;  // contained; "@entry": the newer entry's file, "@directory": its directory
  Outcomes outcomes;
  std::string_view why;
};

// The first row that fits counts.
constexpr Rule rules[] = {
    // A machine whose answers are worth nothing more than a line in the log.
    {Step::begin, Step::stub, "SetVariable", "", boots_new, "variables are never needed to boot"},
    {Step::begin, Step::stub, "GetVariable", "", boots_new, "absent, or Secure Boot counts as on"},
    {Step::begin, Step::stub, "SetWatchdogTimer", "", boots_new,
     "a refusing watchdog is left alone"},
    {Step::begin, Step::stub, "CheckEvent", "", boots_new, "no keyboard: as if no key were there"},
    {Step::begin, Step::stub, "ConOut.", "", boots_new, "a screen that fails shows nothing"},
    {Step::begin, Step::stub, "Tcg2.", "", boots_new, "the boot goes on without being measured"},
    {Step::verify, Step::verify, "LocateProtocol", "ShimLock", boots_new | resets,
     "what only the machine's owner has signed, only shim knows; counter written"},
    {Step::verify, Step::verify, "LocateProtocol", "Security", resets, "the same"},
    {Step::verify, Step::verify, "ShimLock.", "", resets, "the same"},
    {Step::stub, Step::stub, "LocateProtocol", "ShimLock", boots_new | resets,
     "started in memory if shim is not seen at all, else refused"},
    {Step::stub, Step::stub, "LocateProtocol", "Security", boots_new | resets, "the same"},
    {Step::begin, Step::stub, "LocateProtocol", "", boots_new, "absent protocols do without"},
    {Step::begin, Step::listed, "HandleProtocol", "TextInputEx", boots_new, "no keyboard"},
    {Step::stub, Step::stub, "HandleProtocol", "ShellParameters", boots_new, "not from a shell"},

    {Step::begin, Step::begin, "HandleProtocol", "LoadedImage", returns,
     "we cannot know who we are"},
    {Step::begin, Step::begin, "HandleProtocol", "DevicePath", boots_new,
     "only told to user space"},
    {Step::begin, Step::begin, "AllocatePages", "", boots_new, "log and variables do without"},
    {Step::begin, Step::begin, "OpenProtocol", "SimpleFileSystem", returns,
     "own volume not openable"},
    {Step::begin, Step::begin, "OpenVolume", "", returns, "own volume not openable"},

    {Step::settings, Step::settings, "AllocatePages", "", boots_new | returns,
     "loader.conf or XBOOTLDR are done without, the list is not"},
    {Step::settings, Step::settings, "", "", boots_new, "defaults; XBOOTLDR left out"},

    {Step::unlisted, Step::listed, "AllocatePages", "", boots_new | returns,
     "no memory for the list; titles and variables do without"},
    {Step::unlisted, Step::unlisted, "File.", "@directory", boots_old, "entries found so far"},
    {Step::unlisted, Step::unlisted, "File.", "", boots_new, "other directories and entries"},
    {Step::listing, Step::listing, "File.", "", boots_old, "this entry is left out"},
    {Step::listed, Step::listed, "File.", "", boots_new, "it is in the list already"},

    {Step::read, Step::read, "File.", "", boots_old_late, "read"},
    {Step::read, Step::read, "AllocatePages", "below 4 GiB", boots_new, "anywhere else will do"},
    {Step::read, Step::read, "AllocatePages", "", boots_old_late, "read"},

    {Step::count, Step::count, "File.", "", boots_new, "R16: counting never keeps from booting"},
    {Step::count, Step::count, "AllocatePages", "", boots_new, "R16"},

    {Step::verify, Step::verify, "HandleProtocol", "", resets, "verify, counter written"},
    {Step::verify, Step::verify, "AllocatePages", "", resets, "verify, counter written"},
    {Step::verify, Step::verify, "LoadImage", "", resets, "verify, counter written"},

    {Step::prepare, Step::prepare, "AllocatePages", "", boots_new | resets,
     "reports and measurements do without, the initrd does not"},
    {Step::prepare, Step::prepare, "LocateDevicePath", "LoadFile2", boots_new, "nobody before us"},
    {Step::prepare, Step::prepare, "InstallProtocolInterface", "", resets,
     "no start without initrd"},
    {Step::prepare, Step::prepare, "StartImage", "", resets, "start, counter written"},

    {Step::stub, Step::stub, "HandleProtocol", "LoadedImage", boots_new | resets,
     "the kernel needs our record; an add-on without one is left out"},
    {Step::stub, Step::stub, "HandleProtocol", "DevicePath", boots_new | resets,
     "of the volume only told to user space; an earlier initrd's path must be taken over"},
    {Step::stub, Step::stub, "AllocatePages", "", boots_new | resets,
     "reports and measurements do without, kernel and initrd do not"},
    {Step::stub, Step::stub, "LocateDevicePath", "LoadFile2", boots_new, "as if there were none"},
    {Step::stub, Step::stub, "OpenProtocol", "SimpleFileSystem", boots_new,
     "no volume: no companions"},
    {Step::stub, Step::stub, "OpenVolume", "", boots_new, "no volume: no companions"},
    {Step::stub, Step::stub, "File.", "", boots_new, "that companion or directory is left out"},
    {Step::stub, Step::stub, "LocateDevicePath", "BlockIo", boots_new, "no disk: no random seed"},
    {Step::stub, Step::stub, "OpenProtocol", "BlockIo", boots_new, "no disk: no random seed"},
    {Step::stub, Step::stub, "ReadBlocks", "", boots_new, "no ESP: no random seed"},
    {Step::stub, Step::stub, "Rng.", "", boots_new, "a seed of less, or none"},
    {Step::stub, Step::stub, "GetNextMonotonicCount", "", boots_new, "a seed of less, or none"},
    {Step::stub, Step::stub, "GetTime", "", boots_new, "a seed of less"},
    {Step::stub, Step::stub, "AllocatePool", "", boots_new, "no random seed is handed on"},
    {Step::stub, Step::stub, "InstallConfigurationTable", "", boots_new,
     "no random seed is handed on"},
    {Step::stub, Step::stub, "Graphics.", "", boots_new, "no splash"},
    {Step::stub, Step::stub, "ConsoleControl.", "", boots_new, "no splash"},
    {Step::stub, Step::stub, "LoadImage", ".addon.efi", boots_new, "that add-on is left out"},
    {Step::stub, Step::stub, "LoadImage", "", resets, "the kernel, behind shim"},
    {Step::stub, Step::stub, "StartImage", "", resets, "the kernel, behind shim"},
    {Step::stub, Step::stub, "LocateHandleBuffer", "", boots_new, "no console is found"},
    {Step::stub, Step::stub, "HandleProtocol", "GraphicsOutput", boots_new, "no console is found"},
    {Step::stub, Step::stub, "HandleProtocol", "PciIo", boots_new, "no console is found"},
    {Step::stub, Step::stub, "PciIo.", "", boots_new, "no console is found"},
    {Step::stub, Step::stub, "HandleProtocol", "EdidDiscovered", boots_new, "no panel is known"},
    {Step::stub, Step::stub, "DeviceTreeFixup", "", boots_new, "that tree is left out"},
    {Step::stub, Step::stub, "InstallConfigurationTable", "", boots_new, "the firmware's stays"},
    {Step::stub, Step::stub, "OpenProtocol", "LoadFile2", boots_new,
     "an earlier initrd is left out"},
    {Step::stub, Step::stub, "HandleProtocol", "LoadFile2", resets,
     "the path of the earlier initrd is not taken without knowing its owner"},
    {Step::stub, Step::stub, "UninstallProtocolInterface", "", resets, "no start without initrd"},
    {Step::stub, Step::stub, "InstallProtocolInterface", "", resets, "no start without initrd"},
    {Step::stub, Step::stub, "MemoryAttribute.Get", "", boots_new, "counts as executable"},
    {Step::stub, Step::stub, "MemoryAttribute.", "", resets, "no kernel without its page rights"},
};

const Rule* rule_for(Step step, const Call& call, const Configuration& configuration) {
  for (const Rule& rule : rules) {
    if (step < rule.first || step > rule.last || !call.name.starts_with(rule.call)) continue;
    if (rule.detail == "@directory") {
      if (call.detail != configuration.directory) continue;
    } else if (call.detail.find(rule.detail) == std::string::npos) {
      continue;
    }
    return &rule;
  }
  return nullptr;
}

// 0: something that is never right.
Outcomes outcome_of(const sim::Run& run, const Configuration& configuration) {
  if (run.end == End::took_over && run.started_text() == configuration.good) return boots_new;
  if (run.end == End::took_over && run.started.back().program == "old") {
    if (run.duration_ns >= 30 * second_ns) return boots_old_late;
    return run.started_text() == configuration.fallback ? boots_old : 0u;
  }
  if (run.end == End::reset) return run.duration_ns >= 5 * second_ns ? resets : resets_at_once;
  if (run.end == End::returned && efi::failed(run.status)) return returns;
  return 0;
}

// ---- What holds whatever failed ----

bool is_one_rename(Swept& machine) {
  const auto& configuration = machine.configuration();
  for (const std::u16string& write : machine.esp().writes())
    if (write != u"rename " + std::u16string(configuration.new_file) + u" -> " +
                     std::u16string(configuration.new_renamed) &&
        write != u"write " + std::u16string(seed_file) && !write.starts_with(u"flush "))
      return false;
  return machine.xbootldr().writes().empty();
}

void expect_invariants(Swept& machine, const sim::Run& run) {
  EXPECT_TRUE(run.problems.empty());
  for (const sim::Started& started : run.started)
    EXPECT_TRUE(started.trusted) << started.program << " was started unverified";
  EXPECT_TRUE(is_one_rename(machine)) << "other writes than the counter's and the seed's";
  const auto seed = machine.esp().content(seed_file);
  if (machine.configuration().has_secrets) EXPECT_EQ(seed.size(), 64u) << "R15";
  constexpr Guid seed_table = "1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b"_guid;
  if (machine.sim::Firmware::configuration().find(seed_table) != nullptr)
    EXPECT_NE(keelson::text_of(seed), std::string(64, 's'))
        << "a seed is handed on that comes again";
  if (run.end != End::took_over) return;

  // Variables say that something is in a PCR only if all of it is.
  const bool is_new = run.started.back().program == "new";
  const bool by_stub = run.find("stub") != nullptr;
  const sim::Buffer& uki = is_new ? samples().new_uki : samples().old_uki;
  const bool right = machine.register_hex(HashAlgorithm::sha256, 11) ==
                     machine.predicted_kernel_pcr(HashAlgorithm::sha256, uki);
  if (machine.has(bli::stub_pcr_kernel_image)) {
    EXPECT_TRUE(by_stub && right) << "StubPcrKernelImage without its measurements";
  }
  // No entry is started on top of another one's measurements.
  if (!by_stub) {
    EXPECT_TRUE(machine.tpm().pcr(HashAlgorithm::sha256, 11).is_zero());
  }
  if (!is_new && by_stub && machine.calls().failed().size() <= 1) {
    EXPECT_TRUE(right) << "the older entry is measured wrongly";
  }
  if (!is_new) {
    EXPECT_TRUE(machine.tpm().pcr(HashAlgorithm::sha256, 12).is_zero())
        << "options of the newer entry are measured, the older one is started";
  }
}

// ---- The sweeps ----

struct Good {
  std::vector<Call> calls;  // only those that can fail
  std::vector<Step> steps;
  sim::Started kernel;
};

Good boot_without_faults(const Configuration& configuration) {
  Swept machine(configuration);
  const sim::Run run = machine.boot();
  EXPECT_EQ(outcome_of(run, configuration), boots_new) << run;
  expect_invariants(machine, run);
  EXPECT_TRUE(machine.esp().exists(configuration.new_renamed));
  Good good{.calls = {}, .steps = steps_of(machine.calls().list(), configuration), .kernel = {}};
  for (const Call& call : machine.calls().list())
    if (call.number != 0) good.calls.push_back(call);
  if (!run.started.empty()) good.kernel = run.started.back();
  return good;
}

// Without the word for the console of the machine, which is not found if a call fails.
std::u16string_view without_console(std::u16string_view options) {
  constexpr std::u16string_view word = u" console=hvc0";
  if (options.ends_with(word)) options.remove_suffix(word.size());
  return options;
}

// What the kernel may lack when one of these calls fails: add-ons and companions, whole ones.
bool is_without_companions(const sim::Started& kernel, const sim::Started& good) {
  constexpr std::u16string_view start = u"quiet", of_addon = u" added", of_owner = u" words";
  if (!kernel.options.starts_with(start)) return false;
  std::u16string_view rest = without_console(kernel.options).substr(start.size());
  while (rest.starts_with(of_addon)) rest.remove_prefix(of_addon.size());
  if (rest != of_owner) return false;
  if (!kernel.initrd || !good.initrd) return false;
  // Parts begin at multiples of 4 bytes: whatever the kernel has comes in the same order.
  const std::string_view all = keelson::text_of(*good.initrd);
  const std::string_view got = keelson::text_of(*kernel.initrd);
  if (all.size() % 4 != 0 || got.size() % 4 != 0) return false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < got.size(); i += 4) {
    while (at < all.size() && all.substr(at, 4) != got.substr(i, 4)) at += 4;
    if (at == all.size()) return false;
    at += 4;
  }
  return got.find("the initrd of the image") != got.npos;
}

// The initrd up to the archive with the boot secret, which is the last one: there may be none, or
// one made of another seed.
std::string without_boot_secret(const sim::Started& kernel) {
  if (!kernel.initrd) return {};
  const std::string_view all = keelson::text_of(*kernel.initrd);
  constexpr std::size_t records_before_the_name = 120 + 110;  // the directory, and the file's head
  const std::size_t at = all.find(".extra/boot-secret");
  return std::string(at == all.npos ? all : all.substr(0, at - records_before_the_name));
}

// A boot that goes on gives the kernel what it would have had. The exceptions are what lies beside
// the image (stub.md 10), and an initrd that the
// loader has registered for the stub: it is left out if it cannot be fetched (stub.md 5.5).
void expect_same_kernel(const sim::Run& run, const Good& good, const Call& failed,
                        bool has_companions, bool has_secrets) {
  const sim::Started& kernel = run.started.back();
  if (has_companions && kernel.initrd != good.kernel.initrd) {
    EXPECT_TRUE(is_without_companions(kernel, good.kernel)) << "more than companions is missing";
    return;
  }
  if (failed.name.starts_with("PciIo.") || failed.detail == "PciIo")
    EXPECT_EQ(without_console(kernel.options), without_console(good.kernel.options));
  else
    EXPECT_EQ(kernel.raw_options, good.kernel.raw_options);
  const bool hides_earlier = failed.detail.find("LoadFile2") != std::string::npos ||
                             failed.detail.find("DevicePath") != std::string::npos;
  if (hides_earlier || kernel.initrd == good.kernel.initrd) return;
  if (has_secrets && without_boot_secret(kernel) == without_boot_secret(good.kernel)) return;
  ASSERT_TRUE(kernel.initrd && good.kernel.initrd);
  EXPECT_EQ(failed.name, "AllocatePages") << "the kernel has another initrd";
  EXPECT_TRUE(keelson::text_of(*good.kernel.initrd).ends_with(keelson::text_of(*kernel.initrd)) &&
              good.kernel.initrd->size() - kernel.initrd->size() == 12)
      << "more than the earlier initrd is missing";
}

void sweep(const Configuration& configuration) {
  const Good good = boot_without_faults(configuration);
  ASSERT_EQ(good.steps.size(), good.calls.size());
  ASSERT_GT(good.calls.size(), 100u);
  testing::Test::RecordProperty("calls", static_cast<int>(good.calls.size()));
  for (std::size_t i = 0; i < good.calls.size(); ++i) {
    const Call& call = good.calls[i];
    SCOPED_TRACE("call " + std::to_string(call.number) + ": " + std::string(call.name) + "(" +
                 call.detail + "), step " +
                 std::string(step_names[static_cast<std::size_t>(good.steps[i])]));
    const Rule* const rule = rule_for(good.steps[i], call, configuration);
    if (rule == nullptr) {
      ADD_FAILURE() << "no row says what may follow";
      continue;
    }
    Swept machine(configuration);
    machine.calls().fail_call(call.number);
    const sim::Run run = machine.boot();
    ASSERT_EQ(machine.calls().failed().size(), 1u);
    const Outcomes outcome = outcome_of(run, configuration);
    EXPECT_TRUE((outcome & rule->outcomes) != 0)
        << rule->why << ": allowed" << text_of(rule->outcomes) << ", seen" << text_of(outcome)
        << "\n"
        << run << "\n"
        << machine.screen().printed() << machine.calls().text(25);
    expect_invariants(machine, run);
    if (outcome == boots_new)
      expect_same_kernel(run, good, call, configuration.has_companions, configuration.has_secrets);

    // Nothing that failed once keeps the machine from booting for good.
    machine.calls().fail_none();
    const sim::Run next = machine.boot();
    EXPECT_EQ(next.end, End::took_over) << "the boot after it: " << next;
    EXPECT_TRUE(next.problems.empty()) << next;
  }
}

// A firmware of which everything fails also says that an image which it did not start is gone, and
// does not take back the rights of pages, which are then better kept: what stays is its doing.
bool is_the_firmwares_own(std::string_view problem, const sim::Calls& calls) {
  const bool keeps_rights = std::ranges::any_of(
      calls.failed(), [](const Call& call) { return call.name.starts_with("MemoryAttribute."); });
  return problem == "image not unloaded" ||
         problem == "protocols were left installed, or taken away" ||
         (keeps_rights && problem.starts_with("not freed: "));
}

void sweep_for_good(const Configuration& configuration) {
  const Good good = boot_without_faults(configuration);
  for (const Call& call : good.calls) {
    SCOPED_TRACE("all from call " + std::to_string(call.number) + " on: " + std::string(call.name) +
                 "(" + call.detail + ")");
    Swept machine(configuration);
    machine.calls().fail_from(call.number);
    int boots = 0;
    const sim::Run run = machine.boot_through_resets(10, &boots);
    for (const std::string& problem : run.problems)
      EXPECT_TRUE(is_the_firmwares_own(problem, machine.calls())) << problem << "\n"
                                                                  << machine.calls().text(25);
    for (const sim::Started& started : run.started)
      EXPECT_TRUE(started.trusted) << started.program << " was started unverified";
    EXPECT_TRUE(run.end == End::took_over || run.end == End::returned)
        << boots << " boots, then " << run << machine.calls().text(25);
    if (run.end == End::returned) {
      EXPECT_TRUE(efi::failed(run.status)) << run;
    }
  }
}

// ---- A kernel that gives control back ----

struct ReturnRule {
  std::string_view call, detail;
  Outcomes counted, uncounted;
  std::string_view why;
};
// After the kernel's return nothing may change what follows, except what has to be written or
// waited for.
constexpr ReturnRule return_rules[] = {
    {"SetVariable", "LoaderEntryOneShot", resets, boots_old_late, "no rescue without it: as read"},
    {"AllocatePages", "", resets, resets | boots_old_late, "the same, if it cannot be encoded"},
    {"CreateEvent", "", resets_at_once, resets_at_once, "no timer: as if it had ended"},
    {"SetTimer", "", resets_at_once, resets_at_once, "no timer: as if it had ended"},
    {"WaitForEvent", "", resets_at_once, resets_at_once, "no timer: as if it had ended"},
    {"", "", resets, resets, "undoing, reports, the event log (unreadable: extended), the screen"},
};

void sweep_return(const Configuration& configuration, bool counted) {
  const auto prepare = [&](Swept& machine) {
    machine.payload("new", Ending::returns(efi::status::load_error));
    if (counted) return;
    const std::vector<std::byte> entry = machine.esp().content(configuration.new_file);
    machine.esp().remove(configuration.new_file);
    std::u16string name(configuration.new_file);
    name.erase(name.find(u"+3"), 2);
    machine.esp().add(name, entry);
  };
  Swept good(configuration);
  std::uint64_t calls_before = 0;
  prepare(good);
  good.images().add_payload("new", [&](sim::Firmware& firmware, efi::Handle) {
    calls_before = firmware.calls().count();
    return Ending::returns(efi::status::load_error);
  });
  const sim::Run good_run = good.boot();
  ASSERT_EQ(outcome_of(good_run, configuration), resets) << good_run;
  ASSERT_GT(calls_before, 0u);
  std::vector<Call> calls;
  for (const Call& call : good.calls().list())
    if (call.number > calls_before) calls.push_back(call);
  ASSERT_GT(calls.size(), 5u);
  testing::Test::RecordProperty("calls", static_cast<int>(calls.size()));
  for (const Call& call : calls) {
    SCOPED_TRACE("call " + std::to_string(call.number) + ": " + std::string(call.name) + "(" +
                 call.detail + "), after the kernel has returned");
    const auto rule = std::ranges::find_if(return_rules, [&](const ReturnRule& row) {
      return call.name.starts_with(row.call) && call.detail.find(row.detail) != std::string::npos;
    });
    Swept machine(configuration);
    prepare(machine);
    machine.calls().fail_call(call.number);
    const sim::Run run = machine.boot();
    const Outcomes outcome = outcome_of(run, configuration);
    EXPECT_TRUE((outcome & (counted ? rule->counted : rule->uncounted)) != 0)
        << rule->why << ": seen" << text_of(outcome) << "\n"
        << run << "\n"
        << machine.screen().printed() << machine.calls().text(25);
    EXPECT_TRUE(run.problems.empty()) << run;
    // And the next boots end on the older entry, which is measured as it should be.
    machine.calls().fail_none();
    if (run.end != End::reset) continue;
    const sim::Run last = machine.boot_through_resets(10);
    EXPECT_EQ(last.end, End::took_over) << last;
    EXPECT_EQ(last.started_text(), configuration.fallback);
    EXPECT_TRUE(last.problems.empty()) << last;
    if (configuration.old_is_uki) {
      EXPECT_EQ(machine.register_hex(HashAlgorithm::sha256, 11),
                machine.predicted_kernel_pcr(HashAlgorithm::sha256, samples().old_uki));
    }
  }
}

void PrintTo(const Configuration& configuration, std::ostream* out) { *out << configuration.name; }

class FaultSweep : public testing::TestWithParam<Configuration> {};

TEST_P(FaultSweep, EachCallFailsOnce) { sweep(GetParam()); }
TEST_P(FaultSweep, EachCallAfterACountedKernelReturned) { sweep_return(GetParam(), true); }
TEST_P(FaultSweep, EachCallAfterAnUncountedKernelReturned) { sweep_return(GetParam(), false); }
TEST_P(FaultSweep, EverythingFailsFromACallOn) { sweep_for_good(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Boots, FaultSweep, testing::ValuesIn(configurations), [](const auto& row) {
  return "Configuration" + std::to_string(row.index);
});

}  // namespace
}  // namespace keelson
