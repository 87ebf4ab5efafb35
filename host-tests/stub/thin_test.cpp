// SPDX-License-Identifier: MIT
//
// Thin UKIs on the simulated machine (stub.md 11): with Secure Boot and without it, what is not the
// pinned file is neither measured nor started, and what is boots as the full image would.
#include <gtest/gtest.h>

#include <algorithm>

#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

using sample::Buffer;
using sim::Ending;
using sim::Machine;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\thin.efi";
constexpr std::u16string_view kernel_path = u"\\EFI\\pins\\kernel";
constexpr std::u16string_view initrd_path = u"\\EFI\\pins\\initrd";
constexpr std::string_view initrd_text = "the initrd beside the image";

struct Parts {
  Buffer kernel = sim::kernel_image("kernel", "1");
  Buffer initrd = Buffer(bytes_of(initrd_text).begin(), bytes_of(initrd_text).end());
  std::string cmdline = "quiet";
};

Buffer build(const Parts& parts, bool thin) {
  const Buffer stub = sim::program_image("stub");
  const std::string osrel = sim::osrel_of({});
  linker::UkiInputs inputs;
  inputs.stub = stub;
  inputs.kernel = parts.kernel;
  inputs.initrds = {parts.initrd};
  inputs.cmdline = bytes_of(parts.cmdline);
  inputs.osrel = bytes_of(osrel);
  inputs.uname = bytes_of(std::string_view("1"));
  if (thin) inputs.thin = {.kernel = "\\EFI\\pins\\kernel", .initrd = "\\EFI\\pins\\initrd"};
  auto built = linker::build_uki(inputs);
  EXPECT_TRUE(built.has_value()) << built.error().text();
  return built.has_value() ? std::move(built->image) : Buffer();
}

void install(Machine& machine, const Parts& parts = {}) {
  Buffer uki;
  machine.compute([&] { uki = build(parts, true); });
  machine.images().trust(uki);
  machine.esp().add(uki_path, uki);
  machine.esp().add(kernel_path, parts.kernel);
  machine.esp().add(initrd_path, parts.initrd);
}

TEST(StubThin, BootsAndIsMeasuredAsTheFullImage) {
  for (const bool secure_boot : {false, true}) {
    Machine machine({.secure_boot = secure_boot});
    install(machine);
    const sim::Run run = machine.run(uki_path);
    ASSERT_EQ(run.end, sim::End::took_over) << run << machine.screen().printed();
    EXPECT_TRUE(run.problems.empty()) << run;
    const auto* const kernel = run.find("kernel");
    ASSERT_NE(kernel, nullptr);
    EXPECT_TRUE(kernel->in_memory) << "its file has no signature";
    EXPECT_EQ(kernel->options, u"quiet");
    ASSERT_TRUE(kernel->initrd.has_value());
    EXPECT_EQ(text_of(*kernel->initrd).substr(0, initrd_text.size()), initrd_text);
    Buffer full;
    machine.compute([&] { full = build({}, false); });
    for (const HashAlgorithm bank : all_hash_algorithms)
      EXPECT_EQ(machine.register_hex(bank, 11), machine.predicted_kernel_pcr(bank, full));
    EXPECT_EQ(machine.text(loader_interface::stub_pcr_kernel_image), u"11");
    EXPECT_TRUE(machine.screen().text().empty()) << "a healthy boot is silent";
  }
}

struct Row {
  std::string_view why;
  std::function<void(Machine&)> change;
  efi::Status status;
  std::string_view says;
};
const Row rows[] = {
    {"a changed byte in the kernel",
     [](Machine& machine) {
       Buffer changed = Parts().kernel;
       changed[changed.size() / 2] ^= std::byte{1};
       machine.esp().add(kernel_path, changed);
     },
     efi::status::security_violation, "\\EFI\\pins\\kernel"},
    {"another kernel, bootable and trusted",
     [](Machine& machine) {
       const Buffer other = sim::kernel_image("kernel", "2");
       machine.images().trust(other);
       machine.esp().add(kernel_path, other);
     },
     efi::status::security_violation, "\\EFI\\pins\\kernel"},
    {"a changed byte in the initrd",
     [](Machine& machine) {
       Buffer changed = Parts().initrd;
       changed[0] ^= std::byte{0x80};
       machine.esp().add(initrd_path, changed);
     },
     efi::status::security_violation, "\\EFI\\pins\\initrd"},
    {"a longer initrd",
     [](Machine& machine) {
       Buffer longer = Parts().initrd;
       longer.push_back(std::byte{0});
       machine.esp().add(initrd_path, longer);
     },
     efi::status::security_violation, "\\EFI\\pins\\initrd"},
    {"an empty initrd",
     [](Machine& machine) { machine.esp().add(initrd_path, Buffer()); },
     efi::status::security_violation, "\\EFI\\pins\\initrd"},
    {"no initrd", [](Machine& machine) { machine.esp().remove(initrd_path); },
     efi::status::not_found, "\\EFI\\pins\\initrd"},
    {"no kernel", [](Machine& machine) { machine.esp().remove(kernel_path); },
     efi::status::not_found, "\\EFI\\pins\\kernel"},
};

TEST(StubThin, WhatIsNotPinnedIsNeitherMeasuredNorStarted) {
  for (const Row& row : rows) {
    for (const bool secure_boot : {false, true}) {
      Machine machine({.secure_boot = secure_boot});
      install(machine);
      row.change(machine);
      const sim::Run run = machine.run(uki_path);
      EXPECT_EQ(run.end, sim::End::returned) << row.why << run;
      EXPECT_TRUE(run.problems.empty()) << row.why << run;
      EXPECT_EQ(run.status, row.status) << row.why;
      EXPECT_EQ(run.started_text(), "stub") << row.why;
      EXPECT_EQ(machine.tpm().events_in(11), 0u) << row.why;
      EXPECT_TRUE(machine.screen().has_printed(row.says))
          << row.why << machine.screen().printed();
      EXPECT_EQ(std::ranges::count(machine.screen().printed(), '\n'), 1)
          << row.why << machine.screen().printed();
    }
  }
}

TEST(StubThin, TheLoaderStartsTheNextEntryInstead) {
  Machine machine({.secure_boot = true});
  install(machine);  // version 1
  machine.payload("older", Ending::takes_over());
  machine.add_uki(u"\\EFI\\Linux\\older.efi", {.kernel = "older", .version = "0"});
  machine.esp().remove(initrd_path);
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_EQ(run.started_text(), "loader stub stub older") << run;
}

}  // namespace
}  // namespace keelson
