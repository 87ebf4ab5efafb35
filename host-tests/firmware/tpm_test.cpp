// SPDX-License-Identifier: MIT
//
// Measuring and the event logs (efi/firmware/tpm.h): every machine that there is, and logs that say
// what happened.
#include "efi/firmware/tpm.h"

#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

Measurement sample(std::uint32_t pcr, std::string_view data) {
  return {.pcr = pcr, .description = u"sample", .data = bytes_of(data)};
}

struct MachineRow {
  const char* name;
  sim::Options options;
  std::uint32_t banks;
};
const MachineRow machines[] = {
    {"Nothing", {.tpm = false}, 0},
    {"FourBanks", {}, 15},
    {"Sha384Only", {.banks = {HashAlgorithm::sha384}}, 4},
    {"Sha1AndSha256", {.banks = {HashAlgorithm::sha1, HashAlgorithm::sha256}}, 3},
    {"ConfidentialOnly", {.tpm = false, .confidential = true}, 0},
    {"Both", {.confidential = true}, 15},
};

class MachineTest : public testing::TestWithParam<MachineRow> {
 protected:
  sim::Firmware firmware{GetParam().options};
};

TEST_P(MachineTest, MeasuresWhereItCan) {
  const sim::Options& options = GetParam().options;
  run_in(firmware, [&](Image&) {
    const Tpm tpm = Tpm::find();
    EXPECT_EQ(tpm.has_tpm(), options.tpm);
    EXPECT_EQ(tpm.has_cc(), options.confidential);
    EXPECT_EQ(tpm.active_pcr_banks(), GetParam().banks);
    EXPECT_TRUE(tpm.measure(sample(11, "one")).has_value());
    EXPECT_TRUE(tpm.measure(sample(11, "two")).has_value());
  });
  const Measurement both[] = {sample(11, "one"), sample(11, "two")};
  if (options.tpm)
    for (const HashAlgorithm bank : options.banks)
      EXPECT_EQ(firmware.tpm().pcr(bank, 11), *replay(both, 11, Digest(bank)));
  EXPECT_EQ(firmware.tpm().events_in(11), options.tpm ? 2u : 0u);
  const Digest untouched(HashAlgorithm::sha384);
  EXPECT_EQ(firmware.confidential().value(3),
            options.confidential ? *replay(both, 11, untouched) : untouched);
}

TEST_P(MachineTest, ReadsItsLogs) {
  const sim::Options& options = GetParam().options;
  run_in(firmware, [&](Image&) {
    const Tpm tpm = Tpm::find();
    const auto before = tpm.event_log();
    const auto cc_before = tpm.cc_event_log();
    EXPECT_EQ(before.has_value(), options.tpm);
    EXPECT_EQ(cc_before.has_value(), options.confidential);
    const auto last = before.has_value() ? before->last_event : std::nullopt;
    const auto cc_last = cc_before.has_value() ? cc_before->last_event : std::nullopt;

    ASSERT_TRUE(tpm.measure(sample(5, "other")).has_value());
    constexpr tcg::RegisterSet ours = tcg::register_bit(11) | tcg::register_bit(12);
    if (options.tpm) EXPECT_FALSE(tcg::extended_since(*tpm.event_log(), last, ours));
    if (options.confidential)
      EXPECT_FALSE(tcg::extended_since(*tpm.cc_event_log(), cc_last, tcg::register_bit(3)));

    ASSERT_TRUE(tpm.measure(sample(12, "ours")).has_value());
    if (options.tpm) EXPECT_TRUE(tcg::extended_since(*tpm.event_log(), last, ours));
    if (!options.confidential) {
      EXPECT_EQ(code_of(tpm.cc_register_of(12)), "not found");
      return;
    }
    const auto mapped = tpm.cc_register_of(12);
    ASSERT_TRUE(mapped.has_value());
    EXPECT_EQ(*mapped, 3u);
    EXPECT_TRUE(tcg::extended_since(*tpm.cc_event_log(), cc_last, tcg::register_bit(*mapped)));
  });
}

INSTANTIATE_TEST_SUITE_P(Machines, MachineTest, testing::ValuesIn(machines),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(TpmFind, AsksWhetherThereIsOne) {
  struct Row {
    const char* reason;
    std::function<void(sim::Tpm&)> prepare;
    bool present;
    std::uint32_t banks;
  };
  const Row rows[] = {
      {"a TPM", [](sim::Tpm&) {}, true, 15},
      {"the protocol without a TPM", [](sim::Tpm& tpm) { tpm.set_present(false); }, false, 0},
      {"protocol 1.0 cannot tell its banks",
       [](sim::Tpm& tpm) { tpm.set_protocol_version({1, 0}); }, true, ~std::uint32_t{0}},
      {"the old structure with a TPM", [](sim::Tpm& tpm) { tpm.set_old_structure(true); }, true,
       ~std::uint32_t{0}},
      {"the old structure without one",
       [](sim::Tpm& tpm) {
         tpm.set_old_structure(true);
         tpm.set_present(false);
       },
       false, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    sim::Firmware firmware;
    row.prepare(firmware.tpm());
    run_in(firmware, [&](Image&) {
      const Tpm tpm = Tpm::find();
      EXPECT_EQ(tpm.has_tpm(), row.present);
      EXPECT_EQ(tpm.active_pcr_banks(), row.banks);
    });
  }
}

TEST(TpmMeasure, TriesBothAndReportsTheFirstFailure) {
  for (const std::string_view broken : {"Tcg2.HashLogExtendEvent", "Cc.HashLogExtendEvent"}) {
    SCOPED_TRACE(broken);
    sim::Firmware firmware({.confidential = true});
    firmware.calls().fail_every(broken, status::device_error);
    run_in(firmware, [&](Image&) {
      EXPECT_EQ(code_of(Tpm::find().measure(sample(11, "x"))), "firmware error");
    });
    EXPECT_EQ(firmware.tpm().events_in(11), broken.starts_with("Cc") ? 1u : 0u);
    EXPECT_EQ(firmware.confidential().events().size(), broken.starts_with("Cc") ? 0u : 1u);
  }
}

TEST(TpmMeasure, TakesDescriptionsOfAnySize) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{246}, std::size_t{247}, std::size_t{248}, std::size_t{5000}}) {
    SCOPED_TRACE(size);
    sim::Firmware firmware;
    const std::u16string description(size, u'd');
    run_in(firmware, [&](Image&) {
      EXPECT_TRUE(Tpm::find()
                      .measure({.pcr = 12, .description = description, .data = bytes_of("options")})
                      .has_value());
    });
    ASSERT_EQ(firmware.tpm().events_in(12), 1u);
    EXPECT_EQ(firmware.tpm().events().back().data.size(), 2 * (size + 1));
  }
}

TEST(TpmMeasure, RefusesBytesThatAreNotInMemory) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    Measurement measurement = sample(11, "x");
    measurement.zeros = 4096;
    EXPECT_EQ(code_of(Tpm::find().measure(measurement)), "unsupported");
  });
  EXPECT_EQ(firmware.tpm().events_in(11), 0u);
}

TEST(TpmLog, CountsAsExtendedWhenItWasCut) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    const Tpm tpm = Tpm::find();
    const auto before = tpm.event_log();
    ASSERT_TRUE(before.has_value());
    firmware.tpm().set_log_capacity(firmware.tpm().log().size() + 4);
    EXPECT_TRUE(tpm.measure(sample(5, "does not fit")).has_value());
    const auto after = tpm.event_log();
    ASSERT_TRUE(after.has_value());
    EXPECT_TRUE(after->truncated);
    EXPECT_TRUE(tcg::extended_since(*after, before->last_event, tcg::register_bit(11)));
  });
}

TEST(TpmLog, FailsWithTheFirmware) {
  sim::Firmware firmware({.confidential = true});
  firmware.calls().fail_every("Tcg2.GetEventLog", status::device_error);
  firmware.calls().fail_every("Cc.MapPcrToMrIndex", status::unsupported);
  run_in(firmware, [&](Image&) {
    const Tpm tpm = Tpm::find();
    EXPECT_EQ(code_of(tpm.event_log()), "firmware error");
    EXPECT_EQ(code_of(tpm.cc_register_of(11)), "unsupported");
    EXPECT_EQ(code_of(tpm.measure(sample(11, "x"))), "unsupported");
  });
  EXPECT_EQ(firmware.tpm().events_in(11), 1u) << "the TPM was extended all the same";
}

}  // namespace
}  // namespace keelson::efi
