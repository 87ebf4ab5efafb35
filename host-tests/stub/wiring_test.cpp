// SPDX-License-Identifier: MIT
//
// Whole boots that show what each step of the stub gets from the ones before it, and that hold the
// bounds and precautions between them: without one of these lines every step alone is still right.
#include <gtest/gtest.h>

#include <algorithm>

#include "efi/format/random_seed.h"
#include "host-tests/format/sample_candidates.h"
#include "host-tests/format/sample_smbios.h"
#include "host-tests/stub/expected.h"
#include "host-tests/stub/kernel_view.h"
#include "host-tests/stub/start_from.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using namespace std::literals;
using hardware_ids::DeviceKind;
using sim::Ending;
using sim::Machine;
using Events = std::vector<std::string>;
using Sections = std::vector<sample::Section>;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\sample.efi";
constexpr std::u16string_view addon_path = u"\\EFI\\Linux\\sample.efi.extra.d\\a.addon.efi";
constexpr std::u16string_view kernel_path = u"\\EFI\\pins\\kernel";
constexpr std::u16string_view initrd_path = u"\\EFI\\pins\\initrd";

const std::string kernel_file = sample::text(sim::kernel_image("kernel"));

void expect_good(const sim::Run& run, std::string_view started = "stub kernel") {
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_EQ(run.started_text(), started);
}
bool logged(Machine& machine, std::string_view text) {
  const auto log = machine.variables().utf8(bli::keelson_log);
  return log && log->find(text) != std::string::npos;
}
void expect_pcr(Machine& machine, std::uint32_t index, const Events& events) {
  for (const HashAlgorithm bank : all_hash_algorithms)
    EXPECT_EQ(machine.register_hex(bank, index), expected::pcr(bank, events))
        << "PCR " << index << ", " << name(bank);
}
// The events of a section in PCR 11.
void append_section(Events& events, const std::string& name, const std::string& content) {
  events.push_back(name + '\0');
  events.push_back(content);
}

// ---- Candidates: who they are for is asked of the machine ----

const hardware_ids::Machine rocket = {.manufacturer = "Acme",
                                      .family = {},
                                      .product = "Rocket Mk2",
                                      .sku = {},
                                      .board_manufacturer = {},
                                      .board_product = {},
                                      .panel = std::nullopt};

std::string firmware_tree(const std::string& board) { return sample::device_tree_of(board + '\0'); }
sample::Section candidate(const std::string& board) {
  return sample::dtbauto(board + "\0candidate"s);
}

// Its kernel looks at the device tree.
struct Board {
  explicit Board(const std::string& product, const sim::Options& options = {}) : machine(options) {
    machine.hardware().set_smbios_3(sample::smbios_system({.product = product}) +
                                    sample::smbios_end());
    machine.images().add_payload("kernel", [this](sim::Firmware& firmware, efi::Handle) {
      tree_seen = sim::device_tree_seen(firmware);
      return Ending::takes_over();
    });
  }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  void set_firmware_tree(const std::string& text) {
    firmware_tree.resize(text.size() / sizeof(std::uint32_t) + 1);
    __builtin_memcpy(firmware_tree.data(), text.data(), text.size());
    machine.configuration().set(efi::table_guid::device_tree, firmware_tree.data());
  }
  sample::Section hwids(const std::vector<sample::Device>& devices) {
    sample::Section section;
    machine.compute([&] { section = sample::hwids(rocket, devices); });
    return section;
  }

  Machine machine;
  std::vector<std::uint32_t> firmware_tree;
  std::string tree_seen;
};

TEST(StubWiring, AnAddonBringsTheDeviceTreeOfThisMachine) {
  struct Row {
    bool confidential;
    std::string product, board;  // by SMBIOS; by the firmware's device tree, if it has one
    std::string selected;        // empty: none
    std::string_view why;
  };
  const Row rows[] = {
      {false, "Rocket Mk2", "", "acme,mk2", "its .hwids names the machine"},
      {false, "Rocket Mk3", "", "", "its .hwids names another"},
      {true, "Rocket Mk2", "", "", "the host of a confidential guest is not believed (R13)"},
      {false, "Rocket Mk2", "acme,mk1", "acme,mk1", "the firmware's tree names the board"},
      {false, "Rocket Mk2", "acme,mk9", "", "and no candidate is for that"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Board board(row.product, {.confidential = row.confidential});
    if (!row.board.empty()) board.set_firmware_tree(firmware_tree(row.board));
    board.machine.add_image(uki_path, "stub", {{.name = ".linux", .content = kernel_file}});
    board.machine.add_addon(addon_path, {candidate("acme,mk1"), candidate("acme,mk2"),
                                         board.hwids({{DeviceKind::device_tree, "acme,mk2"}})});
    expect_good(board.machine.run(uki_path));
    const std::string tree = candidate(row.selected).content;
    if (!row.selected.empty())
      EXPECT_EQ(board.tree_seen, tree);
    else
      EXPECT_EQ(board.tree_seen, row.board.empty() ? "" : firmware_tree(row.board));
    expect_pcr(board.machine, 12, row.selected.empty() ? Events{} : Events{tree});
    EXPECT_EQ(logged(board.machine, "nothing in it is of use here"), row.selected.empty());
  }
}

TEST(StubWiring, CandidatesOfTheChosenProfileForThisMachine) {
  struct Row {
    bool confidential;
    std::u16string_view options;
    std::string product;
    bool selected;
    std::string_view why;
  };
  const Row rows[] = {
      {false, u"@1", "Rocket Mk2", true, "the profile's .hwids names the machine"},
      {false, u"@1", "Rocket Mk3", false, "it names another"},
      {true, u"@1", "Rocket Mk2", false, "the host of a confidential guest is not believed (R13)"},
      {false, u"", "Rocket Mk2", false, "candidates of another profile"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Board board(row.product, {.confidential = row.confidential});
    const sample::Section hwids = board.hwids(
        {{DeviceKind::device_tree, "acme,mk2"}, {DeviceKind::uefi_firmware, "rocket.fw"}});
    const sample::Section tree = candidate("acme,mk2"), image = sample::efifw("rocket.fw");
    board.machine.add_image(uki_path, "stub",
                            {{.name = ".linux", .content = kernel_file},
                             candidate("acme,mk1"),
                             {.name = ".profile", .content = "ID=main\n"},
                             {.name = ".profile", .content = "ID=second\n"},
                             hwids,
                             candidate("acme,mk3"),
                             tree,
                             sample::efifw("other.fw"),
                             image});
    expect_good(board.machine.run(uki_path, row.options));
    EXPECT_EQ(board.tree_seen, row.selected ? tree.content : "");
    // The order of stub.md 1.1.
    Events events;
    append_section(events, ".linux", kernel_file);
    append_section(events, ".sbat", "sbat,1,SBAT Version,sbat,1,https://example.com\n");
    append_section(events, ".profile", row.options.empty() ? "ID=main\n" : "ID=second\n");
    if (row.selected) append_section(events, ".dtbauto", tree.content);
    if (!row.options.empty()) append_section(events, ".hwids", hwids.content);
    if (row.selected) append_section(events, ".efifw", image.content);
    expect_pcr(board.machine, 11, events);
  }
}

// ---- The screen ----

TEST(StubWiring, ThePictureStaysUntilTheKernelReturns) {
  Machine machine({.graphics = true, .console_control = true});
  bool showed_graphics = false;
  machine.images().add_payload("kernel", [&](sim::Firmware& firmware, efi::Handle) {
    showed_graphics = firmware.graphics().shows_graphics();
    return Ending::returns(efi::status::load_error);
  });
  machine.add_uki(uki_path, {.splash = sim::splash_picture()});
  const sim::Run run = machine.run(uki_path);
  EXPECT_EQ(run.end, sim::End::returned) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_EQ(run.started_text(), "stub kernel");
  EXPECT_TRUE(showed_graphics);
  EXPECT_EQ(machine.graphics().at(0, 0), Pixel());
  EXPECT_EQ(machine.graphics().at(31, 23), (Pixel{.blue = 32, .green = 64, .red = 128}))
      << "half-transparent on black";
  EXPECT_FALSE(machine.graphics().shows_graphics());
  EXPECT_TRUE(machine.screen().has_printed("gave control back"));
  const auto& calls = machine.calls().list();
  const auto printed = std::ranges::find(calls, "ConOut.OutputString", &sim::Call::name);
  EXPECT_EQ(std::ranges::count(calls.begin(), printed, "ConsoleControl.SetMode", &sim::Call::name),
            2)
      << "text again before the message about it, so that it can be read";
}

// ---- The watchdog: none of what takes minutes follows another such thing without re-arming ----

struct Slow {
  std::string_view call;
  std::uint64_t seconds;
  std::string_view about;
};
struct SlowRow {
  std::string_view why;
  std::vector<Slow> calls;
};

std::string text_of_hash(Bytes file) { return std::string(text_of(sha256(file).bytes())); }

// A thin image, and the files that it pins.
void add_thin(Machine& machine) {
  const std::string initrd = "initrd";
  machine.esp().add(kernel_path, kernel_file).add(initrd_path, initrd);
  machine.add_image(uki_path, "stub",
                    {{.name = ".cmdline", .content = "quiet"},
                     {.name = ".linux", .content = "\\EFI\\pins\\kernel"},
                     {.name = ".linuxh", .content = text_of_hash(bytes_of(kernel_file))},
                     {.name = ".initrd", .content = "\\EFI\\pins\\initrd"},
                     {.name = ".initrdh", .content = text_of_hash(bytes_of(initrd))}});
}

TEST(StubWiring, SlowFirmwareDoesNotSetOffTheWatchdog) {
  const SlowRow rows[] = {
      {"a firmware that hashes each section for minutes", {{"Tcg2.HashLogExtendEvent", 200, ""}}},
      {"an add-on that is read, then hashed by LoadImage for minutes",
       {{"File.Read", 150, "a.addon.efi"}, {"LoadImage", 200, "a.addon.efi"}}},
      {"a pinned kernel that is read, then hashed until the next call",
       {{"File.Read", 150, "pins\\kernel"}, {"File.Open", 200, "pins\\initrd"}}},
  };
  for (const SlowRow& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine;
    add_thin(machine);
    machine.add_addon(addon_path, {{.name = ".cmdline", .content = "extra"}});
    for (const Slow& slow : row.calls)
      machine.calls().set_duration(slow.call, slow.seconds, slow.about);
    const sim::Run run = machine.run(uki_path);
    expect_good(run);
    EXPECT_EQ(sim::options_of(run), u"quiet extra");
    EXPECT_GT(run.duration_ns, 300'000'000'000u) << "longer than the watchdog waits";
  }
}

// ---- Secrets ----

constexpr std::u16string_view mixin_path = u"\\loader\\boot-secret-mixin";

// No loader has passed on a seed; the file on the ESP is the only one.
Machine& prepare_first_boot(Machine& machine) {
  machine.add_image(
      uki_path, "stub",
      {{.name = ".osrel", .content = "ID=test\n"}, {.name = ".linux", .content = kernel_file}});
  machine.esp().add(u"\\loader\\random-seed", std::string(64, 's'));
  machine.esp().add(mixin_path, std::string(40, 'm'));
  return machine;
}
const std::string osrel_archive = expected::archive("", 0555, 0444, {{"os-release", "ID=test\n"}});

TEST(StubWiring, TheBootSecretIsMadeOfTheSeedOfTheSameBoot) {
  Machine machine({.random_numbers = true});
  const sim::Run run = prepare_first_boot(machine).run(uki_path);
  expect_good(run);
  const auto variable = machine.variables().get(bli::loader_boot_secret);
  ASSERT_TRUE(variable.has_value());
  const Secret secret = derive_secret({.variable = variable->data,
                                       .mixin = bytes_of(std::string_view("mmmmmmmmmmmmmmmm"
                                                                          "mmmmmmmmmmmmmmmm")),
                                       .id = "test"});
  EXPECT_EQ(
      sim::initrd_of(run),
      osrel_archive + expected::archive("", 0555, 0400,
                                        {{"boot-secret", std::string(text_of(secret.bytes()))}}));
}

TEST(StubWiring, AMixinThatIsADirectoryIsNotRead) {
  Machine machine({.random_numbers = true});
  prepare_first_boot(machine).esp().remove(mixin_path);
  machine.esp().add_directory(mixin_path);
  machine.esp().claim_size(mixin_path, 64);
  const sim::Run run = machine.run(uki_path);
  expect_good(run);
  EXPECT_EQ(sim::initrd_of(run), osrel_archive);
  for (const sim::Call& call : machine.calls().list())
    EXPECT_FALSE(call.name == "File.Read" && call.detail.contains("boot-secret-mixin"));
  EXPECT_FALSE(machine.has(bli::loader_boot_secret));
}

// ---- Bounds ----

TEST(StubWiring, AnAddonOfAnAbsurdSizeIsNotEvenRead) {
  Machine machine;
  machine.add_image(uki_path, "stub", {{.name = ".linux", .content = kernel_file}});
  machine.add_addon(addon_path, {{.name = ".cmdline", .content = "extra"}});
  machine.esp().claim_size(addon_path, 1_GiB + 512_MiB + 1);
  const sim::Run run = machine.run(uki_path);
  expect_good(run);
  EXPECT_EQ(sim::options_of(run), u"");
  EXPECT_TRUE(logged(machine, "file too large"));
  EXPECT_EQ(machine.esp().usage(addon_path).reads, 0u);
}

TEST(StubWiring, ARegisteredInitrdOfAnAbsurdSizeIsLeftOut) {
  efi::LoadFile2Protocol claims{};
  claims.load_file = [](efi::LoadFile2Protocol*, EFI_DEVICE_PATH*, BOOLEAN, UINTN* size, void*)
                         EFIAPI -> EFI_STATUS {
    *size = 4_GiB + 1;
    return efi::status::buffer_too_small;
  };
  auto path = device_path::linux_initrd_path;
  Machine machine;
  machine.add_uki(uki_path, {.initrd = "the initrd"});
  const sim::Run run = sim::start_from(machine, uki_path, [&](sim::Starter&) {
    const efi::Handle handle =
        machine.handles().add(nullptr, efi::protocol_guid::device_path, path.data());
    machine.handles().add(handle, efi::protocol_guid::load_file2, &claims);
  });
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_TRUE(sim::initrd_of(run).starts_with("the initrd"));
  EXPECT_TRUE(logged(machine, "earlier initrd too large"));
}

// ---- What the platform says of itself ----

TEST(StubWiring, AConfidentialPlatformWithoutALogThatCanBeReadIsNotMeasuredTo) {
  for (const std::uint32_t formats : {2u, 3u, 1u, 0u}) {
    SCOPED_TRACE(formats);
    Machine machine({.tpm = false, .confidential = true});
    machine.confidential().set_supported_logs(formats);
    machine.add_uki(uki_path);
    expect_good(machine.run(uki_path));
    const bool measured = (formats & 2) != 0;
    EXPECT_EQ(!machine.confidential().value(3).is_zero(), measured);
    EXPECT_EQ(machine.has(bli::stub_pcr_kernel_image), measured);
  }
}

TEST(StubWiring, BanksThatTheTpmDoesNotTellAreReportedAsNone) {
  Machine machine;
  machine.calls().fail_every("Tcg2.GetActivePcrBanks", efi::status::device_error);
  machine.add_uki(uki_path);
  expect_good(machine.run(uki_path));
  EXPECT_EQ(machine.text(bli::loader_tpm2_active_pcr_banks), u"0x00000000");
}

TEST(StubWiring, AnIgnoredLineIsToldInTheLog) {
  for (const bool secure_boot : {false, true}) {
    Machine machine({.secure_boot = secure_boot});
    machine.add_uki(uki_path, {.cmdline = "own"});
    expect_good(machine.run(uki_path, u"passed"));
    EXPECT_EQ(logged(machine, "the command line that was passed is ignored"), secure_boot);
  }
}

}  // namespace
}  // namespace keelson
