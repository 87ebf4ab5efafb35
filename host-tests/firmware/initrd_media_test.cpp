// SPDX-License-Identifier: MIT
//
// How Linux gets its initrd (efi/firmware/initrd_media.h): parts, padding, earlier holders of the
// path, and taking it away again.
#include "efi/firmware/initrd_media.h"

#include "efi/firmware/uefi.h"
#include "efi/format/device_path.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

using LastPart = InitrdMedia::LastPart;

// What Linux does: finds the path, asks for the size, fetches. nullopt: no initrd.
std::optional<std::string> fetch_as_linux() {
  EFI_BOOT_SERVICES& services = boot_services();
  EFI_DEVICE_PATH* path = as_device_path(std::as_bytes(std::span(device_path::linux_initrd_path)));
  EFI_HANDLE handle = nullptr;
  if (failed(services.LocateDevicePath(as_efi(protocol_guid::load_file2), &path, &handle)))
    return std::nullopt;
  void* found = nullptr;
  if (failed(services.HandleProtocol(handle, as_efi(protocol_guid::load_file2), &found)))
    return std::nullopt;
  auto* const media = static_cast<LoadFile2Protocol*>(found);
  UINTN size = 0;
  EXPECT_EQ(media->load_file(media, path, TRUE, &size, nullptr), status::unsupported)
      << "not for booting";
  EXPECT_EQ(media->load_file(media, path, FALSE, &size, nullptr), status::buffer_too_small);
  std::string bytes(size, '#');
  if (size > 0) {
    UINTN less = size - 1;
    EXPECT_EQ(media->load_file(media, path, FALSE, &less, bytes.data()), status::buffer_too_small);
    EXPECT_EQ(less, size);
  }
  EXPECT_EQ(media->load_file(media, path, FALSE, nullptr, bytes.data()), status::invalid_parameter);
  EXPECT_EQ(media->load_file(media, nullptr, FALSE, &size, bytes.data()),
            status::invalid_parameter);
  UINTN room = size;
  EXPECT_EQ(media->load_file(media, path, FALSE, &room, bytes.data()), status::success);
  EXPECT_EQ(room, size);
  return bytes;
}

TEST(InitrdMediaTest, JoinsParts) {
  struct Row {
    std::vector<std::string_view> parts;
    LastPart last;
    std::optional<std::string> expected;
    const char* reason;
  };
  using namespace std::string_view_literals;
  const Row rows[] = {
      {{}, LastPart::padded, std::nullopt, "nothing is served as nothing"},
      {{"", ""}, LastPart::padded, std::nullopt, "empty parts too"},
      {{"abcde"}, LastPart::padded, "abcde", "one part is served as it is"},
      {{"", "abcde", ""}, LastPart::padded, "abcde", "one part that is not empty"},
      {{"abcd", "efgh"}, LastPart::padded, "abcdefgh", "whole words"},
      {{"abcde", "f"}, LastPart::padded, std::string("abcde\0\0\0f\0\0\0"sv), "padded in between"},
      {{"abcde", "f"}, LastPart::as_it_is, std::string("abcde\0\0\0f"sv), "the last one as it is"},
      {{"a", "", "b", "cd"}, LastPart::padded, std::string("a\0\0\0b\0\0\0cd\0\0"sv), "many"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    sim::Firmware firmware;
    run_in(firmware, [&](Image&) {
      std::vector<Bytes> parts;
      for (const std::string_view part : row.parts) parts.push_back(bytes_of(part));
      InitrdMedia media;
      ASSERT_TRUE(media.serve(parts, row.last).has_value());
      EXPECT_EQ(fetch_as_linux(), row.expected);
      media.remove();
      EXPECT_EQ(fetch_as_linux(), std::nullopt);
      ASSERT_TRUE(media.serve(parts, row.last).has_value()) << "and again";
      EXPECT_EQ(fetch_as_linux(), row.expected);
    });
  }
}

TEST(InitrdMediaTest, ReplacesWhatItServed) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    const Bytes first[] = {bytes_of("first")};
    const Bytes second[] = {bytes_of("second")};
    InitrdMedia media;
    ASSERT_TRUE(media.serve(first, LastPart::padded).has_value());
    ASSERT_TRUE(media.serve(second, LastPart::padded).has_value());
    EXPECT_EQ(fetch_as_linux(), "second");
  });
}

TEST(InitrdMediaTest, TakesThePathOverAndReadsEarlierHolders) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    EXPECT_FALSE(fetch_registered_initrd(1_MiB)->has_value()) << "nobody serves one";
    const Bytes of_loader[] = {bytes_of("of the loader")};
    const Bytes of_stub[] = {bytes_of("of the stub")};
    InitrdMedia loader;
    ASSERT_TRUE(loader.serve(of_loader, LastPart::as_it_is).has_value());
    const auto earlier = fetch_registered_initrd(1_MiB);
    ASSERT_TRUE(earlier.has_value() && earlier->has_value());
    EXPECT_EQ(text_of((*earlier)->bytes()), "of the loader");
    EXPECT_EQ(code_of(fetch_registered_initrd(12)), "unsupported");
    {
      InitrdMedia stub;
      ASSERT_TRUE(stub.serve(of_stub, LastPart::padded).has_value());
      EXPECT_EQ(fetch_as_linux(), "of the stub");
    }
    EXPECT_EQ(fetch_as_linux(), "of the loader") << "the earlier holder has it back";
    {
      InitrdMedia stub;
      ASSERT_TRUE(stub.serve(of_stub, LastPart::padded).has_value());
      loader.remove();
      EXPECT_EQ(fetch_as_linux(), "of the stub");
    }
    EXPECT_EQ(fetch_as_linux(), std::nullopt) << "the earlier holder has gone meanwhile";
  });
}

TEST(InitrdMediaTest, TakesNothingFromFirmwareThatDoesNotGive) {
  struct Fickle : LoadFile2Protocol {
    Status asked = status::buffer_too_small;
    UINTN size = 5;
    UINTN given = 5;
  };
  Fickle fickle;
  fickle.load_file = [](LoadFile2Protocol* self, EFI_DEVICE_PATH*, BOOLEAN, UINTN* size,
                        void* buffer) EFIAPI -> EFI_STATUS {
    const Fickle& it = *static_cast<Fickle*>(self);
    if (buffer == nullptr) {
      *size = it.size;
      return it.asked;
    }
    *size = it.given;
    return EFI_SUCCESS;
  };
  struct Row {
    Status asked;
    UINTN size, given;
    std::string_view expected;
    bool found;
    const char* reason;
  };
  const Row rows[] = {
      {status::buffer_too_small, 5, 5, "", true, "five bytes"},
      {status::buffer_too_small, 0, 0, "", false, "an empty one"},
      {status::success, 5, 5, "", false, "success without a buffer"},
      {status::device_error, 5, 5, "firmware error", false, "it fails"},
      {status::buffer_too_small, 5, 4, "malformed", false, "it changed its size"},
      {status::buffer_too_small, 2_GiB, 5, "unsupported", false, "too large"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    fickle.asked = row.asked;
    fickle.size = row.size;
    fickle.given = row.given;
    sim::Firmware firmware;
    run_in(firmware, [&](Image&) {
      auto path = device_path::linux_initrd_path;
      EFI_HANDLE handle = nullptr;
      EFI_BOOT_SERVICES& services = boot_services();
      services.InstallProtocolInterface(&handle, as_efi(protocol_guid::device_path),
                                        EFI_NATIVE_INTERFACE, path.data());
      services.InstallProtocolInterface(&handle, as_efi(protocol_guid::load_file2),
                                        EFI_NATIVE_INTERFACE, &fickle);
      const auto initrd = fetch_registered_initrd(1_MiB);
      EXPECT_EQ(code_of(initrd), row.expected);
      if (initrd.has_value()) EXPECT_EQ(initrd->has_value(), row.found);
      services.UninstallProtocolInterface(handle, as_efi(protocol_guid::load_file2), &fickle);
      services.UninstallProtocolInterface(handle, as_efi(protocol_guid::device_path), path.data());
    });
  }
}

TEST(InitrdMediaTest, GivesThePathBackWhereverItFails) {
  const Bytes earlier[] = {bytes_of("earlier")};
  const Bytes later[] = {bytes_of("later")};
  bool succeeded = false;
  for (std::uint64_t failing = 1; !succeeded; ++failing) {
    ASSERT_LT(failing, 100u);
    sim::Firmware firmware;
    run_in(firmware, [&](Image&) {
      InitrdMedia holder;
      ASSERT_TRUE(holder.serve(earlier, LastPart::as_it_is).has_value());
      const auto protocols = firmware.handles().protocol_count();
      {
        InitrdMedia media;
        firmware.calls().fail_call(firmware.calls().count() + failing);
        succeeded =
            media.serve(later, LastPart::padded).has_value() && firmware.calls().failed().empty();
        firmware.calls().fail_none();
      }
      EXPECT_EQ(firmware.handles().protocol_count(), protocols) << failing;
      EXPECT_EQ(fetch_as_linux(), "earlier") << failing;
    });
  }
}

TEST(InitrdMediaTest, LeavesNothingWhereItFails) {
  for (const std::string_view call : {"AllocatePages", "InstallProtocolInterface"}) {
    for (const std::string_view detail : {"", "LoadFile2"}) {
      SCOPED_TRACE(std::string(call) + " " + std::string(detail));
      sim::Firmware firmware;
      firmware.calls().fail_every(call, status::out_of_resources, detail);
      run_in(firmware, [&](Image&) {
        const Bytes parts[] = {bytes_of("abc")};
        InitrdMedia media;
        const bool fails =
            !firmware.calls().failed().empty() || !media.serve(parts, LastPart::padded).has_value();
        EXPECT_EQ(fails, !firmware.calls().failed().empty());
        if (fails) EXPECT_EQ(fetch_as_linux(), std::nullopt);
      });
    }
  }
}

}  // namespace
}  // namespace keelson::efi
