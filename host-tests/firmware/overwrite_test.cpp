// SPDX-License-Identifier: MIT
//
// Replacing the bytes of a file in place (Volume::overwrite, R15): what is refused before anything
// is tried, and what a failed attempt closes.
#include "efi/firmware/volume.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

using Operation = sim::Volume::Operation;
constexpr std::u16string_view path = u"\\loader\\file";

struct Row {
  const char* name;
  std::function<void(sim::Firmware&)> prepare;
  std::string_view content;
  std::string_view expected;  // "": written
  bool gate_stays_open;
  std::string_view left;  // in the file
};
void nothing(sim::Firmware&) {}
const Row rows[] = {
    {"Written", nothing, "NEW!", "", true, "NEW!"},
    {"Shorter", nothing, "NEW", "denied", true, "old."},
    {"Longer", nothing, "NEW!!", "denied", true, "old."},
    {"NotThere", [](sim::Firmware& f) { f.esp().remove(path); }, "NEW!", "not found", true, ""},
    {"IsADirectory",
     [](sim::Firmware& f) {
       f.esp().remove(path);
       f.esp().add_directory(path);
     },
     "", "denied", true, ""},
    {"VolumeIsReadOnly", [](sim::Firmware& f) { f.esp().set_read_only(true); }, "NEW!", "denied",
     true, "old."},
    {"FileIsReadOnly", [](sim::Firmware& f) { f.esp().set_attributes(path, 1); }, "NEW!", "denied",
     true, "old."},
    {"OpenFails",
     [](sim::Firmware& f) { f.esp().fail(Operation::open, path, status::access_denied, 2); },
     "NEW!", "denied", false, "old."},
    {"PositionFails",
     [](sim::Firmware& f) { f.esp().fail(Operation::set_position, path, status::device_error); },
     "NEW!", "firmware error", false, "old."},
    {"WriteFails",
     [](sim::Firmware& f) { f.esp().fail(Operation::write, path, status::device_error); }, "NEW!",
     "firmware error", false, "old."},
    {"FlushFails",
     [](sim::Firmware& f) { f.esp().fail(Operation::flush, path, status::device_error); }, "NEW!",
     "firmware error", false, "NEW!"},
    {"StateFails",
     [](sim::Firmware& f) { f.esp().fail(Operation::get_info, u"\\", status::device_error); },
     "NEW!", "firmware error", true, "old."},
};

TEST(Overwrite, Rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    sim::Firmware firmware;
    firmware.esp().add(path, "old.");
    row.prepare(firmware);
    run_in(firmware, [&](Image& self) {
      Volume volume = *self.volume();
      WriteGate gate;
      EXPECT_EQ(code_of(volume.overwrite(gate, path, bytes_of(row.content))), row.expected);
      EXPECT_EQ(gate.is_open(), row.gate_stays_open);
    });
    EXPECT_EQ(text_of(firmware.esp().content(path)), row.left);
    for (const auto& write : firmware.esp().writes())
      EXPECT_TRUE(write == u"write \\loader\\file" || write == u"flush \\loader\\file");
  }
}

TEST(Overwrite, AClosedGateStopsIt) {
  sim::Firmware firmware;
  firmware.esp().add(path, "old.");
  run_in(firmware, [&](Image& self) {
    Volume volume = *self.volume();
    WriteGate gate;
    gate.close();
    EXPECT_EQ(code_of(volume.overwrite(gate, path, bytes_of("NEW!"))), "denied");
  });
  EXPECT_TRUE(firmware.esp().writes().empty());
}

}  // namespace
}  // namespace keelson::efi
