// SPDX-License-Identifier: MIT
//
// How the kernel is started on the simulated machine (stub.md 7): behind shim of either kind, in
// mixed mode, by the handover protocol; and that nothing is left behind when it returns.
#include <gtest/gtest.h>

#include "host-tests/format/sample_linux.h"
#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

using sim::Buffer;
using sim::Ending;
using sim::Machine;
using sim::ShimVersion;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\sample.efi";
constexpr std::string_view initrd = "the initrd";

Buffer uki_with(const Buffer& kernel, std::string_view cmdline = "quiet") {
  const Buffer stub = sim::program_image("stub");
  linker::UkiInputs inputs;
  inputs.stub = stub;
  inputs.kernel = kernel;
  inputs.osrel = bytes_of(std::string_view("ID=sample\n"));
  inputs.uname = bytes_of(std::string_view("1"));
  if (!cmdline.empty()) inputs.cmdline = bytes_of(cmdline);
  inputs.initrds.push_back(bytes_of(initrd));
  auto built = linker::build_uki(inputs);
  EXPECT_TRUE(built.has_value());
  return built.has_value() ? std::move(built->image) : Buffer();
}

void expect_boots(const sim::Run& run, std::string_view started = "stub kernel") {
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_EQ(run.started_text(), started);
}

void expect_undone(const sim::Run& run, efi::Status status) {
  EXPECT_EQ(run.end, sim::End::returned) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_EQ(run.status, status);
}

void expect_kernel_has_everything(const sim::Run& run) {
  const sim::Started* const kernel = run.find("kernel");
  ASSERT_NE(kernel, nullptr);
  EXPECT_EQ(kernel->options, u"quiet");
  ASSERT_TRUE(kernel->initrd.has_value());
  EXPECT_TRUE(text_of(*kernel->initrd).starts_with(initrd));
  EXPECT_TRUE(kernel->trusted);
}

// ---- shim ----

struct ShimRow {
  bool secure_boot;
  ShimVersion shim;
  bool in_memory;
  int hooked;  // loads under hooks
  std::string_view why;
};
constexpr ShimRow shim_rows[] = {
    {false, ShimVersion::none, true, 0, "nobody to ask"},
    {false, ShimVersion::before_16, true, 0, "without Secure Boot shim says yes to all"},
    {false, ShimVersion::since_16, true, 0, "the same"},
    {true, ShimVersion::none, true, 0, "our own signature is all there is"},
    {true, ShimVersion::before_16, false, 1, "through LoadImage, accepted as part of ours"},
    {true, ShimVersion::since_16, false, 0, "through LoadImage, for which shim answers"},
};

TEST(StartBehindShim, WhichWay) {
  for (const ShimRow& row : shim_rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.secure_boot = row.secure_boot, .shim = row.shim, .memory_attributes = true});
    const Buffer uki = uki_with(sim::kernel_image("kernel"));
    machine.images().trust(uki);
    machine.esp().add(uki_path, uki);
    const sim::Run run = machine.run(uki_path);
    expect_boots(run);
    expect_kernel_has_everything(run);
    ASSERT_NE(run.find("kernel"), nullptr);
    EXPECT_EQ(run.find("kernel")->in_memory, row.in_memory);
    EXPECT_EQ(machine.security().hooked_loads(), row.hooked);
  }
}

TEST(StartBehindShim, AKernelThatReturnsIsUndone) {
  for (const ShimRow& row : shim_rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.secure_boot = row.secure_boot, .shim = row.shim});
    machine.payload("kernel", Ending::returns(efi::status::unsupported));
    machine.add_uki(uki_path);
    const sim::Run run = machine.run(uki_path);
    expect_undone(run, efi::status::unsupported);
    EXPECT_EQ(run.started_text(), "stub kernel");
  }
}

TEST(StartBehindShim, EveryCallThatFailsLeavesNothingHooked) {
  const Buffer uki = uki_with(sim::kernel_image("kernel"));
  const auto machine_for = [&](Machine& machine) {
    machine.images().trust(uki);
    machine.esp().add(uki_path, uki);
  };
  const sim::Options options = {.secure_boot = true, .shim = ShimVersion::before_16};
  Machine good(options);
  machine_for(good);
  const sim::Run good_run = good.run(uki_path);
  expect_boots(good_run);
  ASSERT_GT(good_run.calls, 20u);
  for (std::uint64_t call = 1; call <= good_run.calls; ++call) {
    Machine machine(options);
    machine_for(machine);
    machine.calls().fail_call(call);
    const sim::Run run = machine.run(uki_path);
    ASSERT_EQ(machine.calls().failed().size(), 1u);
    SCOPED_TRACE(std::string(machine.calls().failed()[0].name) + "(" +
                 machine.calls().failed()[0].detail + ")");
    EXPECT_TRUE(run.problems.empty()) << run;
    for (const sim::Started& started : run.started) EXPECT_TRUE(started.trusted);
    if (run.end == sim::End::returned) {
      EXPECT_TRUE(efi::failed(run.status));
    }
  }
}

// From the firmware's key for the loader to a UKI that only the owner of the machine has signed.
TEST(StartBehindShim, TheLoaderStartsWhatTheOwnerHasSignedAndNothingElse) {
  struct Row {
    ShimVersion shim;
    bool mok;
    std::string_view started, why;
  };
  const Row rows[] = {
      {ShimVersion::before_16, true, "loader stub kernel", "shim knows the owner's key"},
      {ShimVersion::before_16, false, "loader", "nobody's"},
      {ShimVersion::since_16, true, "loader stub kernel", "the same by shim 16"},
      {ShimVersion::since_16, false, "loader", "nobody's"},
      {ShimVersion::none, true, "loader", "without shim nobody knows it"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.secure_boot = true, .shim = row.shim});
    const Buffer uki = uki_with(sim::kernel_image("kernel"));
    if (row.mok) machine.security().trust_mok(uki);
    machine.esp().add(uki_path, uki);
    machine.esp().add(u"\\loader\\loader.conf", "auto-reboot no\nauto-poweroff no\n");
    const sim::Run run = machine.boot();
    EXPECT_EQ(run.started_text(), row.started) << machine.screen().printed();
    EXPECT_TRUE(run.problems.empty()) << run;
  }
}

// ---- Mixed mode: a kernel for another machine that has an entry for this one ----

Buffer mixed_kernel() {
  sample::Pe kernel = sample::kernel_pe();
  kernel.machine = pe::native_machine == pe::Machine::aa64 ? pe::Machine::x64 : pe::Machine::aa64;
  kernel.entry_point = 0x2800;
  const auto native = static_cast<std::uint16_t>(pe::native_machine);
  const std::string record = {
      1, 8, static_cast<char>(native & 0xff), static_cast<char>(native >> 8), 0x10, 0x20, 0, 0};
  kernel.sections.insert(
      kernel.sections.begin() + 1,
      {.name = ".compat", .content = record, .virtual_address = 0x1800, .raw_size = 8});
  kernel.sections[2].virtual_address = 0x2000;
  const std::string text = sim::entry_text("kernel");
  kernel.sections[2].content.replace(0x10, text.size(), text);
  return sample::make(kernel);
}

TEST(MixedMode, IsStartedAtItsCompatEntryInBothWays) {
  for (const ShimRow& row : shim_rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.secure_boot = row.secure_boot, .shim = row.shim, .cross_machine = true});
    const Buffer uki = uki_with(mixed_kernel());
    machine.images().trust(uki);
    machine.esp().add(uki_path, uki);
    const sim::Run run = machine.run(uki_path);
    expect_boots(run);
    expect_kernel_has_everything(run);

    machine.payload("kernel", Ending::returns(efi::status::load_error));
    expect_undone(machine.run(uki_path), efi::status::load_error);
  }
}

TEST(MixedMode, AFirmwareThatDoesNotLoadForeignImagesRefusesIt) {
  Machine machine({.secure_boot = true, .shim = ShimVersion::since_16});
  const Buffer uki = uki_with(mixed_kernel());
  machine.images().trust(uki);
  machine.esp().add(uki_path, uki);
  const sim::Run run = machine.run(uki_path);
  expect_undone(run, efi::status::unsupported);
  EXPECT_EQ(run.started_text(), "stub");
}

// The firmware has laid the kernel out, and something else keeps it from starting it.
TEST(MixedMode, AnyOtherErrorOfTheFirmwareIsNoReasonToCallIt) {
  struct Row {
    efi::Status answer;                   // of StartImage
    std::optional<std::uint64_t> claims;  // ImageSize of the record
    std::string_view why;
  };
  const Row rows[] = {
      {efi::status::load_error, std::nullopt, "it fails for a reason of its own"},
      {efi::status::security_violation, std::nullopt, "it refuses the image"},
      {efi::status::unsupported, 0x2010, "the entry is not inside what was laid out"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.secure_boot = true, .shim = ShimVersion::since_16, .cross_machine = true});
    const Buffer uki = uki_with(mixed_kernel());
    machine.images().trust(uki);
    machine.esp().add(uki_path, uki);
    machine.calls().fail_every("StartImage", row.answer);
    machine.images().claim_size(row.claims);
    const sim::Run run = machine.run(uki_path);
    expect_undone(run, row.answer);
    EXPECT_EQ(run.started_text(), "stub");
  }
}

// ---- The handover protocol ----

// Handover entries are an x86 matter, whatever machine the tests run on.
class StartByHandover : public testing::Test {
 protected:
  void SetUp() override {
    if (pe::native_machine != pe::Machine::x64) GTEST_SKIP() << "another machine's protocol";
  }
  static Buffer kernel(const sample::LinuxSetup& setup = {}) {
    return sample::old_kernel(setup, sim::entry_text("kernel"));
  }
};

TEST_F(StartByHandover, TheKernelGetsEverythingBelow4GiB) {
  for (const ShimRow& row : shim_rows) {
    SCOPED_TRACE(row.why);
    Machine machine({.secure_boot = row.secure_boot, .shim = row.shim, .memory_attributes = true});
    const Buffer uki = uki_with(kernel());
    machine.images().trust(uki);
    machine.esp().add(uki_path, uki);
    const sim::Run run = machine.run(uki_path);
    expect_boots(run);
    expect_kernel_has_everything(run);
    EXPECT_TRUE(run.find("kernel")->handed_over);
  }
}

TEST_F(StartByHandover, WhatTheKernelFindsInBootParams) {
  Machine machine;
  machine.esp().add(uki_path, uki_with(kernel({.init_size = 0x9000}), "caf\xc3\xa9"));
  std::vector<std::byte> reserved;
  machine.images().add_payload("kernel", [&](sim::Firmware& firmware, efi::Handle) {
    const auto at = reinterpret_cast<const std::byte*>(firmware.images().handover_kernel());
    reserved.assign(at, at + 0x400 + 0x1000 + 0x9000);
    return Ending::takes_over();
  });
  const sim::Run run = machine.run(uki_path);
  expect_boots(run);
  EXPECT_EQ(run.find("kernel")->options, u"caf ") << "8-bit";
  const Buffer file = kernel({.init_size = 0x9000});
  ASSERT_GT(reserved.size(), file.size());
  EXPECT_TRUE(std::equal(file.begin(), file.end(), reserved.begin())) << "the file as it is";
  EXPECT_TRUE(std::all_of(reserved.begin() + static_cast<std::ptrdiff_t>(file.size()),
                          reserved.end(), [](std::byte b) { return b == std::byte{0}; }))
      << "what it needs behind the file is its own, and zero";
}

TEST_F(StartByHandover, MemoryThatIsNotThereIsAnErrorUnlessTheKernelReachesFurther) {
  struct Row {
    std::uint16_t flags;
    std::string_view missing;  // detail of AllocatePages
    bool boots;
    std::string_view why;
  };
  const Row rows[] = {
      {1 << 3, "below 640 KiB", false, "its command line lies there"},
      {1 << 3 | 1 << 1, "below 640 KiB", true, "not this one's"},
      {1 << 3, "below 4 GiB", false, "nothing else will do"},
      {1 << 3 | 1 << 1, "below 4 GiB", false, "the kernel itself lies there"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Machine machine;
    machine.esp().add(uki_path, uki_with(kernel({.xloadflags = row.flags})));
    machine.calls().fail_every("AllocatePages", efi::status::out_of_resources, row.missing);
    const sim::Run run = machine.run(uki_path);
    if (row.boots)
      expect_boots(run);
    else
      expect_undone(run, efi::status::out_of_resources);
  }
}

TEST_F(StartByHandover, WithoutCommandLineAndWithWhatTheKernelTakes) {
  Machine machine;
  machine.esp().add(uki_path, uki_with(kernel(), ""));
  sim::Run run = machine.run(uki_path);
  expect_boots(run);
  EXPECT_EQ(run.find("kernel")->options, u"");
  machine.esp().add(uki_path, uki_with(kernel({.cmdline_size = 3}), "quiet"));
  run = machine.run(uki_path);
  expect_boots(run);
  EXPECT_EQ(run.find("kernel")->options, u"qui") << "cut to what it takes";
}

TEST_F(StartByHandover, AReturnIsALoadErrorWhateverItSays) {
  for (const efi::Status status : {efi::status::success, efi::status::not_found}) {
    Machine machine;
    machine.payload("kernel", Ending::returns(status));
    machine.esp().add(uki_path, uki_with(kernel()));
    const sim::Run run = machine.run(uki_path);
    expect_undone(run, efi::status::load_error);
    EXPECT_EQ(run.started_text(), "stub kernel");
  }
}

TEST_F(StartByHandover, KernelsWithoutItAreRefused) {
  struct Row {
    sample::LinuxSetup setup;
    efi::Status status;
    std::string_view message;
  };
  const Row rows[] = {
      {{.magic = "none"}, efi::status::unsupported, "image version 0"},
      {{.version = 0x20a}, efi::status::unsupported, "too old for the handover"},
      {{.xloadflags = 1 << 2}, efi::status::unsupported, "no handover for this machine"},
      {{.relocatable = 0}, efi::status::unsupported, "placed anywhere"},
      {{.handover_offset = 0x10'0000}, efi::status::load_error, "past the end"},
      {{.init_size = 0xffff'ffff}, efi::status::out_of_resources, "no memory"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.message);
    Machine machine;
    machine.esp().add(uki_path, uki_with(kernel(row.setup)));
    const sim::Run run = machine.run(uki_path);
    expect_undone(run, row.status);
    EXPECT_EQ(run.started_text(), "stub");
    EXPECT_TRUE(machine.screen().has_printed(row.message)) << machine.screen().printed();
  }
}

}  // namespace
}  // namespace keelson
