// SPDX-License-Identifier: MIT
//
// The whole stub on the simulated machine: what the kernel gets, what is measured, what user space
// will read, what is undone when the kernel gives control back.
#include <gtest/gtest.h>

#include <algorithm>

#include "efi/format/cpio.h"
#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

namespace bli = loader_interface;
using sim::Ending;
using sim::Machine;

constexpr std::u16string_view uki_path = u"\\EFI\\Linux\\sample.efi";

void expect_good(const sim::Run& run) {
  EXPECT_EQ(run.end, sim::End::took_over) << run;
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_EQ(run.started_text(), "stub kernel");
}

std::string as_text(Bytes bytes) { return std::string(text_of(bytes)); }

// Descriptions of the events of a PCR: UTF-16, behind tag and length if tagged.
std::vector<std::string> descriptions(Machine& machine, std::uint32_t index) {
  std::vector<std::string> texts;
  for (const sim::LoggedEvent& event : machine.tpm().events()) {
    if (event.index != index) continue;
    std::string text;
    for (std::size_t at = 0; at < event.data.size(); at += 2)
      if (event.data[at] != std::byte{0}) text += static_cast<char>(event.data[at]);
    texts.push_back(text);
  }
  return texts;
}

std::string with_initrd_padding(std::string text) {
  text.resize((text.size() + 3) / 4 * 4);
  return text;
}

TEST(StubBoot, MeasuresSectionsInTheBindingOrderInEveryBank) {
  Machine machine;
  const auto uki =
      machine.add_uki(uki_path, {.cmdline = "quiet", .pcrsig = "{}", .pcrpkey = "KEY"});
  expect_good(machine.run(uki_path));
  for (const HashAlgorithm bank : all_hash_algorithms)
    EXPECT_EQ(machine.register_hex(bank, 11), machine.predicted_kernel_pcr(bank, uki))
        << name(bank);
  // The table of stub.md 1.1, written out here once more.
  const std::vector<std::string> expected = {
      ".linux",  ".linux", ".osrel", ".osrel", ".cmdline", ".cmdline", ".initrd",
      ".initrd", ".uname", ".uname", ".sbat",  ".sbat",    ".pcrpkey", ".pcrpkey"};
  EXPECT_EQ(descriptions(machine, 11), expected);
  EXPECT_EQ(machine.text(bli::stub_pcr_kernel_image), u"11");
  EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_parameters)) << "nothing went to PCR 12";
  EXPECT_TRUE(machine.tpm().pcr(HashAlgorithm::sha256, 12).is_zero());
}

TEST(StubBoot, PassedOptionsAreMeasuredAndReachTheKernel) {
  Machine machine;
  machine.add_uki(uki_path);
  const sim::Run run = machine.run(uki_path, u"root=/dev/vda quiet");
  expect_good(run);
  ASSERT_NE(run.find("kernel"), nullptr);
  EXPECT_EQ(run.find("kernel")->options, u"root=/dev/vda quiet");
  for (const HashAlgorithm bank : all_hash_algorithms)
    EXPECT_EQ(machine.register_hex(bank, 12),
              machine.predicted(bank, 12, [](MeasurementList& list) {
                EXPECT_TRUE(list.add_command_line(u"root=/dev/vda quiet").has_value());
              }));
  EXPECT_EQ(machine.text(bli::stub_pcr_kernel_parameters), u"12");
}

struct OptionsRow {
  bool secure_boot;
  std::string_view embedded;
  std::u16string_view passed;
  std::u16string_view kernel;
  bool measured;
  std::string_view why;
};
constexpr OptionsRow options_rows[] = {
    {false, "", u"", u"", false, "nothing anywhere: the kernel gets none"},
    {false, "", u"a", u"a", true, "no .cmdline: what is passed counts"},
    {false, "b", u"", u"b", false, "the image's own is part of PCR 11 already"},
    {false, "b", u"a", u"a", true, "without Secure Boot what is passed replaces it"},
    {true, "b", u"", u"b", false, "the image's own"},
    {true, "b", u"a", u"b", false, "under Secure Boot the signed one counts"},
    {true, "", u"a", u"a", true, "under Secure Boot a signed image without one takes any"},
};

TEST(StubBoot, CommandLines) {
  for (const OptionsRow& row : options_rows) {
    Machine machine({.secure_boot = row.secure_boot});
    machine.add_uki(uki_path, {.cmdline = std::string(row.embedded)});
    const sim::Run run = machine.run(uki_path, row.passed);
    expect_good(run);
    ASSERT_NE(run.find("kernel"), nullptr) << row.why;
    EXPECT_EQ(run.find("kernel")->options, row.kernel) << row.why;
    EXPECT_TRUE(run.find("kernel")->trusted || !row.secure_boot) << row.why;
    EXPECT_EQ(!machine.tpm().pcr(HashAlgorithm::sha256, 12).is_zero(), row.measured) << row.why;
    EXPECT_EQ(machine.has(bli::stub_pcr_kernel_parameters), row.measured) << row.why;
  }
}

TEST(StubBoot, InitrdIsTheSectionAndTheExtraFiles) {
  Machine machine;
  const sim::UkiSample sample = {.initrd = "odd", .pcrsig = "{\"sha256\":[]}", .pcrpkey = "KEY"};
  machine.add_uki(uki_path, sample);
  const sim::Run run = machine.run(uki_path);
  expect_good(run);
  ASSERT_NE(run.find("kernel"), nullptr);
  ASSERT_TRUE(run.find("kernel")->initrd.has_value());

  std::string expected = with_initrd_padding(sample.initrd);
  machine.compute([&] {
    const std::string osrel = sim::osrel_of(sample);
    const struct {
      std::string_view name, content;
    } files[] = {{"tpm2-pcr-signature.json", sample.pcrsig},
                 {"tpm2-pcr-public-key.pem", sample.pcrpkey},
                 {"os-release", osrel}};
    for (const auto& file : files) {
      const auto archive = cpio::write_archive(
          {.directory = ".extra"}, {.name = file.name, .content = bytes_of(file.content)});
      ASSERT_TRUE(archive.has_value());
      expected += with_initrd_padding(as_text(archive->bytes()));
    }
  });
  EXPECT_EQ(as_text(*run.find("kernel")->initrd), expected);
}

TEST(StubBoot, TellsUserSpaceWhereItComesFrom) {
  Machine machine;
  machine.add_uki(uki_path);
  expect_good(machine.run(uki_path));
  EXPECT_EQ(machine.text(bli::stub_info), u"keelson-stub 0.1.0");
  EXPECT_EQ(machine.text(bli::stub_profile), u"0");
  EXPECT_EQ(machine.text(bli::stub_image_identifier), std::u16string(uki_path));
  EXPECT_EQ(machine.text(bli::stub_device_part_uuid), u"11111111-2222-4333-8444-555555555555");
  EXPECT_EQ(machine.text(bli::loader_device_part_uuid), u"11111111-2222-4333-8444-555555555555")
      << "no loader has said it";
  EXPECT_EQ(machine.text(bli::loader_tpm2_active_pcr_banks), u"0x0000000f");
  EXPECT_TRUE(machine.screen().text().empty()) << "a healthy boot is silent";
}

TEST(StubBoot, WithoutTpmItIsSilentAndReportsNoPcr) {
  Machine machine({.tpm = false});
  machine.add_uki(uki_path);
  expect_good(machine.run(uki_path, u"a"));
  EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_image));
  EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_parameters));
  EXPECT_EQ(machine.screen().printed(), "");
}

TEST(StubBoot, OneBankIsEnough) {
  Machine machine({.banks = {HashAlgorithm::sha384}});
  const auto uki = machine.add_uki(uki_path);
  expect_good(machine.run(uki_path));
  EXPECT_EQ(machine.register_hex(HashAlgorithm::sha384, 11),
            machine.predicted_kernel_pcr(HashAlgorithm::sha384, uki));
  EXPECT_EQ(machine.text(bli::loader_tpm2_active_pcr_banks), u"0x00000004");
}

TEST(StubBoot, ConfidentialPlatformIsMeasuredToo) {
  Machine machine({.tpm = false, .confidential = true});
  machine.add_uki(uki_path);
  const sim::Run run = machine.run(uki_path, u"init=/bin/sh");
  expect_good(run);
  EXPECT_FALSE(machine.confidential().value(3).is_zero());
  EXPECT_EQ(machine.text(bli::stub_pcr_kernel_image), u"11");
}

TEST(StubBoot, AMeasurementThatFailsIsSaidAndNotReported) {
  Machine machine;
  machine.add_uki(uki_path);
  machine.calls().fail_every("Tcg2.HashLogExtendEvent", efi::status::device_error);
  expect_good(machine.run(uki_path, u"a"));
  EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_image));
  EXPECT_FALSE(machine.has(bli::stub_pcr_kernel_parameters));
  EXPECT_TRUE(machine.screen().has_printed("measuring failed")) << machine.screen().printed();
}

TEST(StubBoot, AFullEventLogIsNoFailure) {
  Machine machine;
  const auto uki = machine.add_uki(uki_path);
  machine.esp().add(u"\\EFI\\Linux\\sample.efi.extra.d\\a.cred", "secret");
  machine.tpm().set_log_capacity(machine.tpm().log().size() + 4);
  const sim::Run run = machine.run(uki_path);
  expect_good(run);
  for (const HashAlgorithm bank : all_hash_algorithms)
    EXPECT_EQ(machine.register_hex(bank, 11), machine.predicted_kernel_pcr(bank, uki));
  EXPECT_TRUE(as_text(*run.find("kernel")->initrd).contains("a.cred")) << "it was measured";
  EXPECT_EQ(machine.text(bli::stub_pcr_kernel_image), u"11");
  EXPECT_EQ(machine.text(bli::stub_pcr_kernel_parameters), u"12");
  EXPECT_TRUE(machine.screen().text().empty()) << machine.screen().text();
}

TEST(StubBoot, KernelCodeIsReadOnlyAndTheOnlyExecutableThing) {
  Machine machine({.memory_attributes = true});
  machine.add_uki(uki_path);
  std::vector<std::uint64_t> rights;
  machine.images().add_payload("kernel", [&](sim::Firmware& firmware, efi::Handle image) {
    const auto* const record = firmware.images().record(image);
    for (std::uint64_t at = 0; at < record->ImageSize; at += page_size)
      rights.push_back(
          firmware.memory().rights_at(static_cast<const std::byte*>(record->ImageBase) + at));
    return Ending::takes_over();
  });
  expect_good(machine.run(uki_path));
  constexpr std::uint64_t xp = efi::memory_execute_protect;
  constexpr std::uint64_t ro = efi::memory_read_only;
  // Headers, .setup; .text in two pages; .data with its zeros.
  const std::vector<std::uint64_t> expected = {xp, xp, ro, ro, xp, xp, xp};
  EXPECT_EQ(rights, expected);
}

// ---- When it does not work ----

void expect_undone(const sim::Run& run, Machine& machine) {
  EXPECT_EQ(run.end, sim::End::returned) << run << machine.calls().text();
  EXPECT_TRUE(run.problems.empty()) << run << machine.calls().text();
}

TEST(StubBoot, AKernelThatReturnsIsUndone) {
  for (const bool attributes : {false, true}) {
    Machine machine({.memory_attributes = attributes});
    machine.payload("kernel", Ending::returns(efi::status::unsupported));
    machine.add_uki(uki_path);
    const sim::Run run = machine.run(uki_path, u"a");
    expect_undone(run, machine);
    EXPECT_EQ(run.status, efi::status::unsupported);
    EXPECT_EQ(run.started_text(), "stub kernel");
    EXPECT_TRUE(machine.screen().has_printed("gave control back")) << machine.screen().printed();
  }
}

TEST(StubBoot, TheStatusIsTheKernels) {
  for (const efi::Status status :
       {efi::status::security_violation, efi::status::write_protected, efi::status::access_denied,
        efi::status::load_error, efi::status::timeout, efi::status::out_of_resources}) {
    Machine machine;
    machine.payload("kernel", Ending::returns(status));
    machine.add_uki(uki_path);
    EXPECT_EQ(machine.run(uki_path).status, status);
  }
}

TEST(StubBoot, PagesWhoseRightsAreNotTakenBackAreNotGivenBack) {
  Machine machine({.memory_attributes = true});
  machine.images().add_payload("kernel", [](sim::Firmware& firmware, efi::Handle) {
    firmware.calls().fail_every("MemoryAttribute.Clear", efi::status::access_denied);
    return Ending::returns(efi::status::load_error);
  });
  machine.add_uki(uki_path);
  const sim::Run run = machine.run(uki_path);
  EXPECT_EQ(run.status, efi::status::load_error);
  ASSERT_EQ(run.problems.size(), 1u) << run;
  EXPECT_TRUE(run.problems.front().starts_with("not freed: 7 pages")) << run;
}

TEST(StubBoot, ImagesWithoutAKernelThatCanBeStartedAreRefusedBeforeAnythingIsMeasured) {
  Machine machine;
  machine.add_program(uki_path, "stub");  // no .linux at all
  const sim::Run run = machine.run(uki_path);
  expect_undone(run, machine);
  EXPECT_EQ(run.status, efi::status::not_found);
  EXPECT_EQ(run.started_text(), "stub");
  EXPECT_EQ(machine.tpm().events_in(11), 0u);
  EXPECT_TRUE(machine.screen().has_printed(".linux")) << machine.screen().printed();
}

TEST(StubBoot, AnUnknownProfileIsRefused) {
  Machine machine;
  machine.add_uki(uki_path);
  const sim::Run run = machine.run(uki_path, u"@7 quiet");
  expect_undone(run, machine);
  EXPECT_EQ(run.status, efi::status::not_found);
  EXPECT_EQ(run.started_text(), "stub");
}

TEST(StubBoot, SecureBootIsTheFirmwares) {
  Machine machine({.secure_boot = true});
  machine.esp().add(uki_path, sim::uki_image());  // not trusted
  const sim::Run run = machine.run(uki_path);
  EXPECT_EQ(run.started_text(), "");
  EXPECT_EQ(run.status, efi::status::security_violation);
}

}  // namespace
}  // namespace keelson
