// SPDX-License-Identifier: MIT
//
// The built-in screen (efi/firmware/panel.h).
#include "efi/firmware/panel.h"

#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

using namespace std::literals;

const std::string edid = [] {
  std::string bytes = "\x00\xff\xff\xff\xff\xff\xff\x00\x04\x6d\xab\x12"s;
  bytes.resize(128);
  return bytes;
}();

std::string panel_in(sim::Firmware& firmware) {
  std::string id;
  run_in(firmware, [&](Image&) {
    if (const auto panel = find_panel()) id = std::string_view(*panel);
  });
  return id;
}

TEST(Panel, TheFirstScreenWithAnEdid) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    sim::Firmware firmware({.seed = seed});
    EXPECT_EQ(panel_in(firmware), "") << "no screen";
    firmware.hardware().add_panel("");
    firmware.hardware().add_panel(edid.substr(0, 127));
    EXPECT_EQ(panel_in(firmware), "") << "no EDID, and one that is cut off";
    firmware.hardware().add_panel(edid);
    EXPECT_EQ(panel_in(firmware), "ACM12ab");
    firmware.calls().fail_every("LocateHandleBuffer", status::out_of_resources);
    EXPECT_EQ(panel_in(firmware), "") << "no list";
  }
}

}  // namespace
}  // namespace keelson::efi
