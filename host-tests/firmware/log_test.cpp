// SPDX-License-Identifier: MIT
//
// Messages: kept, shown, published (efi/firmware/log.h), and the line that shows a long read
// (efi/firmware/read_progress.h).
#include "efi/firmware/log.h"

#include "efi/firmware/clock.h"
#include "efi/firmware/read_progress.h"
#include "efi/firmware/times.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

using loader_interface::keelson_log;
using loader_interface::keelson_times;

class LogTest : public testing::Test {
 protected:
  sim::Firmware firmware;
};

TEST_F(LogTest, ShowsOnlyWhatItIsToldToTell) {
  run_in(firmware, [&](Image& self) {
    Console console = self.console();
    Log log(console, "keelson-test");
    log.warn("skipping ", std::string_view("a.conf"));
    log.tell(Severity::error, "cannot start ", 7);
    EXPECT_EQ(log.text(),
              "keelson-test: warning: skipping a.conf\nkeelson-test: error: cannot start 7\n");
  });
  EXPECT_EQ(firmware.screen().printed(), "cannot start 7\n");
}

TEST_F(LogTest, IsPublishedBehindAnEarlierProgramsLines) {
  run_in(firmware, [&](Image& self) {
    Console console = self.console();
    const Variables variables = self.variables();
    Log loader(console, "boot");
    loader.info("one");
    EXPECT_TRUE(loader.publish(variables).has_value());
    Log stub(console, "stub");
    stub.info("two");
    EXPECT_TRUE(stub.publish(variables).has_value());
    loader.info("three");
    EXPECT_TRUE(loader.publish(variables).has_value());
    EXPECT_EQ(firmware.variables().utf8(keelson_log), "boot: one\nstub: two\nboot: three\n");
    firmware.variables().forget_writes();
    EXPECT_TRUE(loader.publish(variables).has_value());
    EXPECT_TRUE(firmware.variables().writes().empty()) << "nothing new";
  });
}

TEST_F(LogTest, KeepsTheNewestWholeLines) {
  run_in(firmware, [&](Image& self) {
    Console console = self.console();
    Log log(console, "boot");
    const std::string long_text(300, 'x');
    for (int i = 0; i < 200; ++i) {
      log.info(i, " ", long_text);
      if (i % 60 == 7) EXPECT_TRUE(log.publish(self.variables()).has_value());
    }
    EXPECT_LE(log.text().size(), Log::capacity);
    EXPECT_TRUE(log.text().starts_with("boot: ")) << "no half line at its beginning";
    EXPECT_TRUE(log.publish(self.variables()).has_value());
    const std::string published = firmware.variables().utf8(keelson_log).value_or("");
    EXPECT_LE(published.size(), Log::capacity);
    EXPECT_GT(published.size(), Log::capacity - 320);
    EXPECT_TRUE(published.starts_with("boot: "));
    EXPECT_TRUE(published.ends_with("boot: 199 " + long_text + "\n"));
    // Each line once, in order.
    int expected = -1;
    for (std::size_t at = 0; at < published.size(); at = published.find('\n', at) + 1) {
      const int number = std::stoi(published.substr(at + 6, 4));
      if (expected >= 0) EXPECT_EQ(number, expected);
      expected = number + 1;
    }
  });
}

TEST_F(LogTest, StillTellsWithoutMemory) {
  run_in(firmware, [&](Image& self) {
    Console console = self.console();
    firmware.calls().fail_every("AllocatePages", status::out_of_resources);
    Log log(console, "boot");
    log.tell(Severity::warning, "no memory");
    EXPECT_EQ(log.text(), "");
    EXPECT_TRUE(log.publish(self.variables()).has_value()) << "there is nothing to publish";
  });
  EXPECT_EQ(firmware.screen().printed(), "no memory\n");
}

TEST_F(LogTest, SurvivesAVariableThatIsTooLarge) {
  firmware.variables().set(keelson_log, std::vector<std::byte>(Log::capacity + 1, std::byte{'x'}),
                           loader_interface::persistent_attributes);
  run_in(firmware, [&](Image& self) {
    firmware.variables().set(keelson_log,
                             std::vector<std::byte>(Log::capacity + 1, std::byte{'x'}));
    Console console = self.console();
    Log log(console, "boot");
    log.info("mine");
    EXPECT_TRUE(log.publish(self.variables()).has_value());
    EXPECT_EQ(firmware.variables().utf8(keelson_log), "boot: mine\n");
  });
}

TEST_F(LogTest, ShowsLongReadsAndWipesTheLine) {
  run_in(firmware, [&](Image& self) {
    Console console = self.console();
    const Clock clock = self.clock();
    {
      ReadProgress progress(console, clock, u"\\EFI\\Linux\\large.efi");
      progress.chunk_read(1, 10);
      EXPECT_EQ(firmware.screen().text(), "") << "nothing in the first half second";
      firmware.clock().advance_us(600'000);
      progress.chunk_read(2, 10);
      EXPECT_EQ(firmware.screen().text(), "Reading \\EFI\\Linux\\large.efi 20 %\n");
      progress.chunk_read(10, 10);
      EXPECT_EQ(firmware.screen().text(), "Reading \\EFI\\Linux\\large.efi 100 %\n");
    }
    EXPECT_EQ(firmware.screen().text(), "") << "wiped";
    const std::u16string long_name(200, u'n');
    {
      ReadProgress progress(console, clock, long_name);
      firmware.clock().advance_us(600'000);
      progress.chunk_read(1, 3);
      EXPECT_EQ(firmware.screen().row(1), "") << "it stays on one line";
      EXPECT_TRUE(firmware.screen().row(0).ends_with("n 33 %"));
    }
    EXPECT_EQ(firmware.screen().text(), "");
  });
}

TEST_F(LogTest, TimesArePublishedAsLines) {
  run_in(firmware, [&](Image& self) {
    const Clock clock = self.clock();
    Times times(clock);
    firmware.clock().advance_us(1500);
    times.mark("first");
    firmware.clock().advance_us(20);
    times.mark("second");
    EXPECT_TRUE(times.publish(self.variables()).has_value());
    EXPECT_EQ(firmware.variables().utf8(keelson_times), "first 1500\nsecond 20\n");
  });
}

TEST_F(LogTest, TimesNeedAClock) {
  firmware.clock().names_counter_frequency = false;
  run_in(firmware, [&](Image& self) {
    const Clock clock = self.clock();
    EXPECT_EQ(clock.now_us(), std::nullopt) << "no frequency, no ACPI timer";
    EXPECT_EQ(clock.elapsed_us(5), 0u);
    Times times(clock);
    times.mark("phase");
    EXPECT_TRUE(times.publish(self.variables()).has_value());
    EXPECT_FALSE(firmware.variables().exists(keelson_times));
  });
}

}  // namespace
}  // namespace keelson::efi
