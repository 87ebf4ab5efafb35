// SPDX-License-Identifier: MIT
//
// Which SMBIOS table of the machine counts (efi/firmware/smbios_table.h).
#include "efi/firmware/smbios_table.h"

#include "efi/format/smbios.h"
#include "host-tests/firmware/in_firmware.h"
#include "host-tests/format/sample_smbios.h"

namespace keelson::efi {
namespace {

const std::string newer = sample::smbios_oem_strings({"version=3"}) + sample::smbios_end();
const std::string older = sample::smbios_oem_strings({"version=2"}) + sample::smbios_end();

std::string version_in(sim::Firmware& firmware) {
  std::string version;
  run_in(firmware, [&](Image&) {
    const auto found = smbios_structures();
    version = found.has_value()
                  ? std::string(smbios::Table(*found).oem_string("version=").value_or("none"))
                  : std::string(name(found.error().code));
  });
  return version;
}

TEST(SmbiosTable, OfTheNewestVersionThatIsRight) {
  struct Row {
    bool has_3, has_2, spoil_3, spoil_2;
    std::string_view version;
    std::string_view reason;
  };
  constexpr Row rows[] = {
      {true, false, false, false, "3", "version 3"},
      {false, true, false, false, "2", "version 2"},
      {true, true, false, false, "3", "I-SMBIOS 9: both, different: 3"},
      {true, true, true, false, "2", "I-SMBIOS 1: 3 is spoilt"},
      {true, true, false, true, "3", "2 is not looked at"},
      {true, true, true, true, "malformed", "none is right"},
      {true, false, true, false, "malformed", "the only one is not right"},
      {false, false, false, false, "not found", "none"},
  };
  for (const Row& row : rows) {
    sim::Firmware firmware;
    if (row.has_3) firmware.hardware().set_smbios_3(newer);
    if (row.has_2) firmware.hardware().set_smbios_2(older);
    if (row.spoil_3) firmware.hardware().entry_point_3()[1] = 's';
    if (row.spoil_2) firmware.hardware().entry_point_2()[1] = 's';
    EXPECT_EQ(version_in(firmware), row.version) << row.reason;
  }
}

TEST(SmbiosTable, SizesThatCannotBe) {  // I-SMBIOS 6
  sim::Firmware firmware;
  firmware.hardware().set_smbios_3("");
  EXPECT_EQ(version_in(firmware), "none") << "a table of size 0";
  // An entry point that names a length over any: no more of it is read.
  firmware.hardware().set_smbios_3(newer);
  firmware.hardware().entry_point_3()[6] = '\xff';
  EXPECT_EQ(version_in(firmware), "malformed");
}

}  // namespace
}  // namespace keelson::efi
