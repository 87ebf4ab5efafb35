// SPDX-License-Identifier: MIT
//
// The simulated machine punishes: everything that a program should not do or leave is noticed.
// Without these tests the silence of all others would mean nothing.
#include <gtest/gtest.h>

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/protocol.h"
#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

using efi::boot_services;
using sim::End;
using sim::Machine;

struct Misdeed {
  std::string_view problem;  // a part of what is said
  Result<> (*body)(efi::Image& self);
};

Result<> leak_pages(efi::Image&) {
  allocate_pages(3, MemoryKind::data, MemoryLimit::below_4g);
  return {};
}
Result<> free_twice(efi::Image&) {
  std::byte* const pages = allocate_pages(1, MemoryKind::data, MemoryLimit::anywhere);
  free_pages(pages, 1);
  free_pages(pages, 1);
  return {};
}
Result<> free_other_size(efi::Image&) {
  std::byte* const pages = allocate_pages(2, MemoryKind::data, MemoryLimit::anywhere);
  free_pages(pages, 1);
  free_pages(pages, 2);
  return {};
}
Result<> leave_open(efi::Image& self) {
  TRY(efi::open_protocol(self.device(), efi::protocol_guid::simple_file_system));
  return {};
}
Result<> close_elsewhere(efi::Image& self) {
  TRY(efi::open_protocol(self.device(), efi::protocol_guid::simple_file_system));
  efi::close_protocol(self.handle(), efi::protocol_guid::simple_file_system);
  efi::close_protocol(self.device(), efi::protocol_guid::simple_file_system);
  return {};
}
Result<> leave_file_open(efi::Image& self) {
  auto* const system = efi::interface_on<EFI_SIMPLE_FILE_SYSTEM_PROTOCOL>(self.device());
  EFI_FILE_HANDLE root = nullptr;
  return efi::check(system->OpenVolume(system, &root), "cannot open");
}
Result<> leave_event(efi::Image&) {
  EFI_EVENT event = nullptr;
  return efi::check(boot_services().CreateEvent(EVT_TIMER, 0, nullptr, nullptr, &event), "");
}
Result<> leave_protocol(efi::Image&) {
  static int interface = 0;
  EFI_HANDLE handle = nullptr;
  return efi::check(
      boot_services().InstallProtocolInterface(&handle, efi::as_efi(efi::protocol_guid::load_file2),
                                               EFI_NATIVE_INTERFACE, &interface),
      "");
}
Result<> leave_record_changed(efi::Image& self) {
  efi::interface_on<EFI_LOADED_IMAGE_PROTOCOL>(self.handle())->ImageSize = 1;
  return {};
}
Result<> free_with_rights(efi::Image&) {
  auto* const protocol = efi::locate<efi::MemoryAttributeProtocol>();
  Pages pages = TRY(Pages::allocate(page_size));
  return efi::check(protocol->set(protocol, reinterpret_cast<std::uintptr_t>(pages.data()),
                                  page_size, efi::memory_read_only),
                    "");
}
constexpr Misdeed misdeeds[] = {
    {"not freed: 3 pages", leak_pages},
    {"FreePages of what was not allocated", free_twice},
    {"FreePages of what was not allocated, or not in this size", free_other_size},
    {"not closed: ", leave_open},
    {"on a handle where it is not open", close_elsewhere},
    {"file not closed: \\", leave_file_open},
    {"event not closed", leave_event},
    {"protocols were left installed", leave_protocol},
    {"loaded-image record changed", leave_record_changed},
    {"FreePages of pages with rights", free_with_rights},
};

TEST(Firmware, NoticesWhatAProgramLeavesOrBreaks) {
  for (const Misdeed& misdeed : misdeeds) {
    Machine machine({.memory_attributes = true});
    const sim::Run run = machine.run(misdeed.body);
    EXPECT_EQ(run.end, End::returned) << misdeed.problem;
    ASSERT_EQ(run.problems.size(), 1u) << misdeed.problem << ": " << run;
    EXPECT_NE(run.problems.front().find(misdeed.problem), std::string::npos) << run;
  }
}

TEST(Firmware, FindsNothingWrongWithAProgramThatDoesNothing) {
  Machine machine;
  const sim::Run run = machine.run([](efi::Image&) -> Result<> { return {}; });
  EXPECT_EQ(run.end, End::returned);
  EXPECT_EQ(run.status, efi::status::success);
  EXPECT_TRUE(run.problems.empty()) << run;
}

TEST(Firmware, EndsARunThatWaitsForNothing) {
  Machine machine;
  const sim::Run run = machine.run([](efi::Image& self) -> Result<> {
    efi::Console console = self.console();
    TRY(console.wait_key());
    return {};
  });
  // Waits in parts of 150 s, and re-arms the watchdog: only the number of calls ends it.
  EXPECT_EQ(run.end, End::hung);
  EXPECT_FALSE(run.problems.empty());
}

TEST(Firmware, TheWatchdogEndsALongWait) {
  Machine machine;
  const sim::Run run = machine.run([](efi::Image&) -> Result<> {
    for (int second = 0; second < 400; ++second) efi::stall_us(1'000'000);
    return {};
  });
  EXPECT_EQ(run.end, End::watchdog);
  EXPECT_GT(run.duration_ns, 300'000'000'000u);
  EXPECT_LT(run.duration_ns, 302'000'000'000u);
}

TEST(Firmware, FreedLowMemoryIsPoisoned) {
  Machine machine;
  EXPECT_DEATH(machine.run([](efi::Image&) -> Result<> {
    std::byte* const pages = allocate_pages(1, MemoryKind::data, MemoryLimit::below_4g);
    free_pages(pages, 1);
    *const_cast<volatile std::byte*>(pages) = std::byte{1};
    return {};
  }),
               "use-after-poison");
}

TEST(Firmware, PagesComeDirtyAndBelowTheLimit) {
  Machine machine;
  const sim::Run run = machine.run([](efi::Image&) -> Result<> {
    std::byte* const pages = allocate_pages(1, MemoryKind::data, MemoryLimit::below_4g);
    EXPECT_LT(reinterpret_cast<std::uintptr_t>(pages), 4_GiB);
    EXPECT_NE(pages[100], std::byte{0});
    free_pages(pages, 1);
    return {};
  });
  EXPECT_TRUE(run.problems.empty()) << run;
}

TEST(Firmware, ARefusedImageCannotBeStarted) {
  Machine machine({.secure_boot = true});
  const auto image = sim::program_image("kernel");
  const sim::Run run = machine.run([&](efi::Image& self) -> Result<> {
    EFI_HANDLE handle = nullptr;
    UINTN size = 0;
    CHAR16* data = nullptr;
    EXPECT_EQ(
        boot_services().LoadImage(FALSE, self.handle(), nullptr,
                                  const_cast<std::byte*>(image.data()), image.size(), &handle),
        efi::status::security_violation);
    EXPECT_EQ(boot_services().StartImage(handle, &size, &data), efi::status::security_violation);
    boot_services().UnloadImage(handle);
    return {};
  });
  EXPECT_EQ(run.problems.size(), 1u) << run;
  EXPECT_EQ(run.started_text(), "test body");
}

TEST(Firmware, OneChangedByteIsNoLongerTrusted) {
  auto image = sim::uki_image();
  Machine machine({.secure_boot = true});
  machine.images().trust(image);
  EXPECT_TRUE(machine.images().trusts(image));
  for (std::size_t at = 0x400; at < image.size(); at += 0x333) {
    image[at] ^= std::byte{1};
    EXPECT_FALSE(machine.images().trusts(image)) << at;
    image[at] ^= std::byte{1};
  }
}

TEST(Firmware, ARunForgetsAllButDisksAndLastingVariables) {
  namespace bli = loader_interface;
  Machine machine;
  machine.add_uki(u"\\EFI\\Linux\\a.efi");
  machine.variables().set_text(bli::entry_default, u"x");
  EXPECT_EQ(machine.boot().end, End::took_over);
  EXPECT_TRUE(machine.has(bli::loader_info));
  EXPECT_FALSE(machine.tpm().pcr(HashAlgorithm::sha256, 11).is_zero());
  const sim::Run run = machine.run([](efi::Image&) -> Result<> { return {}; });
  EXPECT_TRUE(run.problems.empty()) << run;
  EXPECT_FALSE(machine.has(bli::loader_info));
  EXPECT_TRUE(machine.has(bli::entry_default));
  EXPECT_TRUE(machine.tpm().pcr(HashAlgorithm::sha256, 11).is_zero());
}

TEST(Firmware, FailsTheCallThatWasAskedFor) {
  Machine machine;
  machine.calls().fail_call(2, efi::status::aborted);
  std::vector<efi::Status> answers;
  machine.run([&](efi::Image&) -> Result<> {  // call 1: Image::open
    for (int i = 0; i < 3; ++i) answers.push_back(boot_services().Stall(1));
    return {};
  });
  EXPECT_EQ(answers, (std::vector<efi::Status>{efi::status::aborted, 0, 0}));
  ASSERT_EQ(machine.calls().failed().size(), 1u);
  EXPECT_EQ(machine.calls().failed().front().name, "Stall");
}

TEST(Firmware, ExitEndsTheImageThatHasControl) {
  Machine machine;
  const sim::Run run = machine.run([](efi::Image& self) -> Result<> {
    EXPECT_EQ(boot_services().Exit(self.device(), 0, 0, nullptr), efi::status::invalid_parameter);
    boot_services().Exit(self.handle(), efi::status::aborted, 0, nullptr);
    ADD_FAILURE() << "Exit came back";
    return {};
  });
  EXPECT_EQ(run.end, End::returned);
  EXPECT_EQ(run.status, efi::status::aborted);
}

}  // namespace
}  // namespace keelson
