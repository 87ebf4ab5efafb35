// SPDX-License-Identifier: MIT
//
// Our own image, its arguments, and the record that describes another one for a while
// (efi/firmware/image.h); the machine as a whole (efi/firmware/system.h). Loading and starting
// images is tested with whole programs (host-tests/loader, host-tests/stub).
#include "efi/firmware/image.h"

#include "efi/firmware/clock.h"
#include "efi/firmware/entry.h"
#include "efi/firmware/system.h"
#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

TEST(ImageTest, IsWhatTheFirmwareSays) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image& self) {
    EXPECT_EQ(self.handle(), own_handle());
    EXPECT_EQ(self.device(), firmware.esp_handle());
    EFI_LOADED_IMAGE_PROTOCOL* const record = firmware.images().record(self.handle());
    std::byte options[] = {std::byte{1}, std::byte{2}, std::byte{3}};
    const unsigned char bad_path[] = {1, 1, 0, 0};
    record->LoadOptions = options;
    record->LoadOptionsSize = 3;
    EFI_DEVICE_PATH* const path =
        std::exchange(record->FilePath, as_device_path(std::as_bytes(std::span(bad_path))));
    record->DeviceHandle = nullptr;
    const auto again = Image::open(self.handle());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->load_options().size(), 3u);
    EXPECT_TRUE(again->file_path().empty()) << "malformed: none";
    EXPECT_EQ(code_of(again->volume()), "not found") << "started from no device";
    record->LoadOptions = nullptr;
    EXPECT_TRUE(Image::open(self.handle())->load_options().empty()) << "a size without bytes";
    record->LoadOptionsSize = 0;
    record->FilePath = path;
    record->DeviceHandle = firmware.esp_handle();
    EXPECT_EQ(code_of(Image::open(firmware.esp_handle())), "unsupported") << "no image";
  });
}

TEST(ImageTest, ReadsArgumentsOfAShell) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image& self) {
    EXPECT_FALSE(self.shell_arguments().has_value());
    std::u16string endless(70'000, u'x');
    CHAR16* arguments[] = {as_efi(u"program.efi"), nullptr, endless.data()};
    ShellParametersProtocol shell{
        .argv = arguments, .argc = 3, .std_in = nullptr, .std_out = nullptr, .std_err = nullptr};
    firmware.handles().add(self.handle(), protocol_guid::shell_parameters, &shell);
    const auto given = self.shell_arguments();
    ASSERT_TRUE(given.has_value());
    ASSERT_EQ(given->size(), 3u);
    EXPECT_EQ((*given)[0], u"program.efi");
    EXPECT_EQ((*given)[1], u"");
    EXPECT_EQ((*given)[2].size(), 64_KiB) << "without a NUL nearby";
    EXPECT_EQ((*given)[3], u"");
    shell.argv = nullptr;
    EXPECT_FALSE(self.shell_arguments().has_value());
    firmware.handles().uninstall(self.handle(), protocol_guid::shell_parameters, &shell);
  });
}

TEST(PatchedImageTest, DescribesTheKernelUntilItIsPutBack) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image& self) {
    EFI_LOADED_IMAGE_PROTOCOL& record = *firmware.images().record(self.handle());
    const EFI_LOADED_IMAGE_PROTOCOL before = record;
    const unsigned char path[] = {0x7f, 0xff, 4, 0};
    const std::byte kernel[64] = {};
    const PatchedImage::Description description = {
        .file_path = std::as_bytes(std::span(path)), .image = kernel, .load_options = u"quiet"};
    const auto expect_restored = [&](const char* when) {
      EXPECT_EQ(__builtin_memcmp(&record, &before, sizeof(record)), 0) << when;
    };
    {
      PatchedImage patched;
      ASSERT_TRUE(patched.apply(self, description).has_value());
      EXPECT_EQ(record.ImageBase, kernel);
      EXPECT_EQ(record.ImageSize, sizeof(kernel));
      EXPECT_EQ(record.LoadOptionsSize, 12u) << "with its NUL";
      ASSERT_TRUE(patched.apply(self, description).has_value()) << "again";
      patched.restore();
      expect_restored("put back");
      ASSERT_TRUE(
          patched.apply(self, {.file_path = {}, .image = {}, .load_options = u""}).has_value());
      EXPECT_EQ(record.LoadOptions, nullptr);
      EXPECT_EQ(record.LoadOptionsSize, 0u);
    }
    expect_restored("at the end of its scope");
    PatchedImage patched;
    ASSERT_TRUE(patched.apply(self, description).has_value());
    running_undo_list().run_all();
    expect_restored("by the undo list");
  });
}

TEST(SystemTest, KnowsTheFirmware) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    EXPECT_EQ(firmware_info().vendor, u"Keelson Simulation");
    CHAR16* const vendor = firmware.table().FirmwareVendor;
    std::u16string endless(1000, u'v');
    firmware.table().FirmwareVendor = endless.data();
    EXPECT_EQ(firmware_info().vendor.size(), 256u);
    firmware.table().FirmwareVendor = nullptr;
    EXPECT_EQ(firmware_info().vendor, u"");
    firmware.table().FirmwareVendor = vendor;
    EXPECT_EQ(configuration_table(protocol_guid::tcg2), nullptr);
  });
}

TEST(SystemTest, ResetsUnlessTheFirmwareCannot) {
  for (const auto& [how, end] :
       {std::pair(Reset::cold, sim::End::reset), std::pair(Reset::warm, sim::End::reset),
        std::pair(Reset::power_off, sim::End::powered_off)}) {
    sim::Firmware firmware;
    EXPECT_EQ(firmware
                  .run([how](Image&) -> Result<> {
                    reset_machine(how);
                    return {};
                  })
                  .end,
              end);
    firmware.set_resets(false);
    EXPECT_EQ(run_in(firmware, [how](Image&) { reset_machine(how); }).end, sim::End::returned);
  }
}

TEST(SystemTest, TheWatchdogHoldsForFiveMinutes) {
  for (const bool rearms : {true, false}) {
    sim::Firmware firmware;
    const sim::Run run = firmware.run([&](Image&) -> Result<> {
      for (int seconds = 0; seconds < 400; seconds += 100) {
        if (rearms) rearm_watchdog();
        firmware.clock().advance_us(100'000'000);
        stall_us(1);
      }
      return {};
    });
    EXPECT_EQ(run.end, rearms ? sim::End::returned : sim::End::watchdog);
  }
}

}  // namespace
}  // namespace keelson::efi
