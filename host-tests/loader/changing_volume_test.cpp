// SPDX-License-Identifier: MIT
//
// The whole loader on volumes that change while it runs (design decisions 4 and 10): what is shown
// never decides, what starts is what was read as a whole and verified, and nothing is written for
// an entry that could not be read.
#include <gtest/gtest.h>

#include "host-tests/sim/sample_machine.h"

namespace keelson {
namespace {

using efi::Status;
using sim::End;
using sim::Ending;
using sim::Machine;
using Operation = sim::Volume::Operation;
using When = sim::Volume::When;

constexpr std::u16string_view newest = u"\\EFI\\Linux\\os-2+3.efi";
constexpr std::u16string_view newest_counted = u"\\EFI\\Linux\\os-2+2-1.efi";

// Two versions, the newer one counted; `after_listing` changes the volume just before the newer one
// is opened for its start (it was opened once for the list).
struct Row {
  const char* name;
  bool secure_boot;
  std::function<void(Machine&)> prepare;
  std::string_view started;
  bool counted;  // the newest entry's name was changed
};

void before_start(Machine& machine, sim::Volume::Interference action) {
  machine.esp().interfere(When::before, Operation::open, newest, std::move(action), 2);
}

sim::Buffer other_uki(Machine& machine, bool trusted) {
  machine.payload("other", Ending::takes_over());
  const sim::Buffer image = sim::uki_image({.kernel = "other", .version = "2"});
  if (trusted) machine.images().trust(image);
  return image;
}

const Row rows[] = {
    {"NothingChanges", true, [](Machine&) {}, "loader stub kernel2", true},
    {"IsReplacedByATrustedOneBeforeItIsRead", true,
     [](Machine& machine) {
       before_start(machine, [image = other_uki(machine, true)](sim::Volume& volume) {
         volume.add(newest, image);
         return std::optional<Status>();
       });
     },
     "loader stub other", true},
    {"IsReplacedByAnUntrustedOneBeforeItIsRead", true,
     [](Machine& machine) {
       before_start(machine, [image = other_uki(machine, false)](sim::Volume& volume) {
         volume.add(newest, image);
         return std::optional<Status>();
       });
     },
     // Refused; its counter was written with tries left, so that the machine resets until none are.
     "loader stub kernel1", true},
    {"IsReplacedAfterItWasRead", true,
     [](Machine& machine) {
       machine.esp().interfere(When::after, Operation::flush, newest_counted,
                               [image = other_uki(machine, false)](sim::Volume& volume) {
                                 volume.add(newest_counted, image);
                                 return std::optional<Status>();
                               });
     },
     "loader stub kernel2", true},
    {"IsTakenAway", false,
     [](Machine& machine) {
       before_start(machine, [](sim::Volume& volume) {
         volume.remove(newest);
         return std::optional<Status>();
       });
     },
     "loader stub kernel1", false},
    {"GrowsWhileItIsRead", false,
     [](Machine& machine) {
       before_start(machine, [](sim::Volume& volume) {
         volume.interfere(When::after, Operation::get_info, newest, [](sim::Volume& changed) {
           auto content = changed.content(newest);
           content.resize(content.size() + 1);
           changed.add(newest, content);
           return std::optional<Status>();
         });
         return std::optional<Status>();
       });
     },
     "loader stub kernel1", false},
    {"ShrinksWhileItIsRead", false,
     [](Machine& machine) {
       before_start(machine, [](sim::Volume& volume) {
         volume.interfere(When::after, Operation::get_info, newest, [](sim::Volume& changed) {
           auto content = changed.content(newest);
           content.resize(content.size() - 1);
           changed.add(newest, content);
           return std::optional<Status>();
         });
         return std::optional<Status>();
       });
     },
     "loader stub kernel1", false},
    {"CannotBeReadToItsEnd", false,
     [](Machine& machine) {
       before_start(machine, [](sim::Volume& volume) {
         volume.fail(Operation::read, newest, efi::status::device_error);
         return std::optional<Status>();
       });
     },
     "loader stub kernel1", false},
    {"IsNoImageAnyMore", false,
     [](Machine& machine) {
       before_start(machine, [](sim::Volume& volume) {
         volume.add(newest, std::string(5000, 'x'));
         return std::optional<Status>();
       });
     },
     "loader stub kernel1", true},
    {"CannotBeRenamed", false,
     [](Machine& machine) {
       machine.esp().fail(Operation::set_info, u"", efi::status::device_error);
     },
     "loader stub kernel2", false},
    {"ItsNewNameIsTaken", false,
     [](Machine& machine) {
       machine.esp().interfere(When::before, Operation::set_info, u"", [](sim::Volume& volume) {
         volume.add(newest_counted, "somebody's");
         return std::optional<Status>();
       });
     },
     "loader stub kernel2", false},
};

class ChangingVolume : public testing::TestWithParam<Row> {};

TEST_P(ChangingVolume, NeverStartsWhatWasNotReadAndVerified) {
  Machine machine({.secure_boot = GetParam().secure_boot});
  machine.payload("kernel1", Ending::takes_over());
  machine.payload("kernel2", Ending::takes_over());
  machine.add_uki(u"\\EFI\\Linux\\os-1.efi", {.kernel = "kernel1", .version = "1"});
  machine.add_uki(newest, {.kernel = "kernel2", .version = "2"});
  GetParam().prepare(machine);
  const sim::Run run = machine.boot_through_resets(5);
  EXPECT_EQ(run.end, End::took_over) << run;
  EXPECT_EQ(run.started_text(), GetParam().started) << run << machine.screen().printed();
  EXPECT_TRUE(run.problems.empty()) << run;
  for (const sim::Started& item : run.started)
    EXPECT_TRUE(!GetParam().secure_boot || item.trusted) << item.program;
  EXPECT_EQ(machine.esp().exists(newest),
            !GetParam().counted && std::string_view(GetParam().name) != "IsTakenAway");
  for (const std::u16string& write : machine.esp().writes())
    EXPECT_TRUE(write.starts_with(u"rename ") || write.starts_with(u"flush ")) << sim::ascii(write);
}

INSTANTIATE_TEST_SUITE_P(Rows, ChangingVolume, testing::ValuesIn(rows),
                         [](const auto& info) { return std::string(info.param.name); });

// A directory that fails in the middle: what was found so far boots.
TEST(ChangingDirectory, ShowsWhatWasFoundUntilItFailed) {
  Machine machine;
  machine.payload("kernel", Ending::takes_over());
  for (char16_t digit = u'1'; digit <= u'9'; ++digit)
    machine.add_uki(std::u16string(u"\\EFI\\Linux\\os-") + digit + u".efi",
                    {.version = std::string(1, static_cast<char>(digit))});
  machine.esp().fail(Operation::read, u"\\EFI\\Linux", efi::status::device_error, 6);
  const sim::Run run = machine.boot();
  EXPECT_EQ(run.end, End::took_over) << run;
  EXPECT_EQ(run.started_text(), "loader stub kernel") << run;
  EXPECT_TRUE(run.problems.empty()) << run;
}

}  // namespace
}  // namespace keelson
