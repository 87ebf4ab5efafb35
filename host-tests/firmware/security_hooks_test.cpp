// SPDX-License-Identifier: MIT
//
// What a shim before 16 leaves to its loaders (efi/firmware/security_hooks.h): who is asked during
// LoadImage, in which order, and that nothing stays hooked.
#include "efi/firmware/security_hooks.h"

#include "efi/firmware/protocol.h"
#include "efi/firmware/secure_boot.h"
#include "efi/format/device_path.h"
#include "host-tests/firmware/in_firmware.h"
#include "host-tests/sim/sample_images.h"

namespace keelson::efi {
namespace {

using sim::ShimVersion;

constexpr std::u16string_view file_name = u"\\image.efi";

// A machine with three images that differ, each trusted by somebody else.
struct Trusting {
  explicit Trusting(const sim::Options& options) : firmware(options) {
    firmware.security().trust(by_db);
    firmware.security().trust_mok(by_mok);
  }
  sim::Firmware firmware;
  sim::Buffer by_db = sim::program_image("db");
  sim::Buffer by_mok = sim::program_image("mok");
  sim::Buffer by_nobody = sim::program_image("nobody");
};

// The path of a file on the ESP.
std::vector<std::byte> path_of_file() {
  const Bytes volume = sim::Firmware::current().disk().partition_path(0);
  std::vector<std::byte> path(volume.size() + device_path::file_path_size(file_name) +
                              device_path::end_size);
  Writer writer(path);
  EXPECT_TRUE(device_path::append_file_on(writer, volume, file_name).has_value());
  return path;
}

enum class Source : bool { buffer, path };

Result<> load(Image& self, const sim::Buffer& image, Source source) {
  sim::Firmware& firmware = sim::Firmware::current();
  firmware.esp().add(file_name, image);
  const auto path = path_of_file();
  const auto loaded =
      LoadedImage::load(self, {.device_path = path,
                               .source = source == Source::buffer ? Bytes(image) : Bytes(),
                               .secure_boot = is_secure_boot_on(self.variables())});
  EXPECT_FALSE(firmware.security().is_hooked()) << "hooks are left behind";
  return loaded.has_value() ? Result<>() : fail(loaded.error());
}

TEST(SecurityHooksTest, WhoseTrustCounts) {
  struct Row {
    bool secure_boot;
    ShimVersion shim;
    bool db, mok, nobody;
    int questions, hooked;  // of three loads
    const char* why;
  };
  const Row rows[] = {
      {false, ShimVersion::none, true, true, true, 0, 0, "nobody refuses"},
      {false, ShimVersion::before_16, true, true, true, 0, 0, "nothing to hook for"},
      {false, ShimVersion::since_16, true, true, true, 3, 0, "shim answers, and accepts all"},
      {true, ShimVersion::none, true, false, false, 0, 0, "without shim db alone counts"},
      {true, ShimVersion::before_16, true, true, false, 3, 3, "shim first, then the firmware"},
      {true, ShimVersion::since_16, true, true, false, 3, 0, "shim 16 needs no hooks"},
  };
  for (const Row& row : rows)
    for (const Source source : {Source::buffer, Source::path}) {
      SCOPED_TRACE(row.why);
      Trusting machine({.secure_boot = row.secure_boot, .shim = row.shim});
      run_in(machine.firmware, [&](Image& self) {
        EXPECT_EQ(load(self, machine.by_db, source).has_value(), row.db);
        EXPECT_EQ(load(self, machine.by_mok, source).has_value(), row.mok);
        const auto refused = load(self, machine.by_nobody, source);
        EXPECT_EQ(code_of(refused), row.nobody ? "" : "denied");
        EXPECT_EQ(machine.firmware.security().shim_questions(), row.questions);
        EXPECT_EQ(machine.firmware.security().hooked_loads(), row.hooked);
      });
    }
}

TEST(SecurityHooksTest, AShimThatFailsLeavesItToTheFirmware) {
  Trusting machine({.secure_boot = true, .shim = ShimVersion::before_16});
  machine.firmware.calls().fail_every("ShimLock.Verify", status::device_error);
  run_in(machine.firmware, [&](Image& self) {
    EXPECT_TRUE(load(self, machine.by_db, Source::buffer).has_value());
    EXPECT_EQ(code_of(load(self, machine.by_mok, Source::buffer)), "denied");
  });
}

TEST(SecurityHooksTest, AreNotThereWithoutTheProtocols) {
  struct Row {
    const Guid& missing;
    const char* why;
  };
  const Row rows[] = {{protocol_guid::security_arch, "the older protocol"},
                      {protocol_guid::security2_arch, "the newer protocol"},
                      {protocol_guid::shim_lock, "shim has gone"}};
  for (const Row& row : rows) {
    Trusting machine({.secure_boot = true, .shim = ShimVersion::before_16});
    run_in(machine.firmware, [&](Image& self) {
      sim::Handles& handles = machine.firmware.handles();
      const Handle handle = handles.with_protocol(row.missing).front();
      void* const interface = handles.find(handle, row.missing);
      EXPECT_EQ(handles.uninstall(handle, row.missing, interface), status::success);
      EXPECT_TRUE(load(self, machine.by_db, Source::buffer).has_value()) << row.why;
      EXPECT_EQ(code_of(load(self, machine.by_mok, Source::buffer)), "denied") << row.why;
      EXPECT_EQ(machine.firmware.security().hooked_loads(), 0) << row.why;
      handles.add(nullptr, row.missing, interface);
    });
  }
}

TEST(SecurityHooksTest, AFullUndoListIsAnErrorBeforeAnythingIsHooked) {
  Trusting machine({.secure_boot = true, .shim = ShimVersion::before_16});
  run_in(machine.firmware, [&](Image& self) {
    UndoRegistration others[UndoList::capacity];
    for (UndoRegistration& other : others)
      EXPECT_TRUE(other.set([](void*) {}, nullptr).has_value());
    EXPECT_EQ(code_of(load(self, machine.by_mok, Source::buffer)), "out of memory");
  });
}

// ---- What the hooks answer, asked as the firmware would ----

TEST(SecurityHooksTest, AVerifiedImageIsExactlyThisPathAndTheseBytes) {
  Trusting machine({.secure_boot = true, .shim = ShimVersion::before_16});
  const sim::Buffer& image = machine.by_nobody;
  const sim::Buffer copy = image;
  const Bytes bytes(image);
  const unsigned char nodes[] = {4, 4, 6, 0, 'x', 0, 0x7f, 0xff, 4, 0};
  const unsigned char same_nodes[] = {4, 4, 6, 0, 'x', 0, 0x7f, 0xff, 4, 0};
  const Bytes path = std::as_bytes(std::span(nodes));
  const Bytes same_path = std::as_bytes(std::span(same_nodes));
  struct Row {
    Bytes path, file;
    bool accepted;
    const char* why;
  };
  const Row rows[] = {
      {path, bytes, true, "what was asked for"},
      {same_path, bytes, false, "the same path elsewhere"},
      {{}, bytes, false, "no path"},
      {path, copy, false, "the same bytes elsewhere"},
      {path, bytes.first(bytes.size() - 1), false, "fewer bytes"},
      {path, bytes.subspan(1), false, "other bytes"},
      {path, machine.by_mok, false, "shim's trust is not asked for"},
      {path, machine.by_db, true, "the firmware's is"},
  };
  run_in(machine.firmware, [&](Image&) {
    auto* const protocol = locate<Security2ArchProtocol>();
    SecurityHooks hooks;
    ASSERT_TRUE(
        hooks.install({.device_path = path, .source = bytes, .is_verified = true}).has_value());
    EXPECT_TRUE(machine.firmware.security().is_hooked());
    for (const Row& row : rows) {
      const Status answer = protocol->file_authentication(protocol, as_device_path(row.path),
                                                          const_cast<std::byte*>(row.file.data()),
                                                          row.file.size(), FALSE);
      EXPECT_EQ(answer == status::success, row.accepted) << row.why;
    }
    EXPECT_EQ(machine.firmware.security().shim_questions(), 0);
    hooks.remove();
    EXPECT_FALSE(machine.firmware.security().is_hooked());
    hooks.remove();
  });
}

TEST(SecurityHooksTest, TheOlderQuestionNamesOnlyThePath) {
  const unsigned char nodes[] = {0x7f, 0xff, 4, 0};
  const Bytes path = std::as_bytes(std::span(nodes));
  const unsigned char other_nodes[] = {0x7f, 0xff, 4, 0};
  struct Row {
    bool is_verified, with_source, by_mok, own_path, accepted;
    const char* why;
  };
  const Row rows[] = {
      {false, true, true, true, true, "shim knows the file that was given with the path"},
      {false, true, false, true, false, "and refuses others"},
      {false, true, true, false, false, "another path: the file is not known"},
      {false, false, true, true, false, "no file: never read a second time"},
      {true, true, false, true, true, "the verified one"},
      {true, true, false, false, false, "another path"},
      {true, false, false, true, false, "nothing was verified"},
  };
  for (const Row& row : rows) {
    Trusting machine({.secure_boot = true, .shim = ShimVersion::before_16});
    run_in(machine.firmware, [&](Image&) {
      auto* const protocol = locate<SecurityArchProtocol>();
      SecurityHooks hooks;
      const Bytes file = row.by_mok ? machine.by_mok : machine.by_nobody;
      ASSERT_TRUE(hooks
                      .install({.device_path = path,
                                .source = row.with_source ? file : Bytes(),
                                .is_verified = row.is_verified})
                      .has_value());
      const Bytes asked = row.own_path ? path : std::as_bytes(std::span(other_nodes));
      EXPECT_EQ(protocol->file_authentication_state(protocol, 0, as_device_path(asked)) ==
                    status::success,
                row.accepted)
          << row.why;
    });
  }
}

}  // namespace
}  // namespace keelson::efi
