// SPDX-License-Identifier: MIT
//
// The simulated TPM and confidential platform: registers, and logs that replay to them (tpm.h).
#include "host-tests/sim/tpm.h"

#include <gtest/gtest.h>

#include "efi/format/measurement.h"
#include "efi/format/tcg_event_log.h"

namespace keelson::sim {
namespace {

namespace status = efi::status;
using efi::Status;

// An event as programs hand it over.
std::vector<std::byte> event_of(const Measurement& measurement) {
  std::vector<std::byte> room(tcg2_event_size(measurement));
  const auto written = write_tcg2_event(measurement, room);
  EXPECT_TRUE(written.has_value());
  return room;
}

Status extend(efi::Tcg2Protocol* tcg2, const Measurement& measurement, UINT64 flags = 0) {
  std::vector<std::byte> event = event_of(measurement);
  return tcg2->hash_log_extend_event(tcg2, flags,
                                     reinterpret_cast<std::uintptr_t>(measurement.data.data()),
                                     measurement.data.size(), event.data());
}

Measurement sample(std::uint32_t pcr, std::string_view data) {
  return {.pcr = pcr, .description = u"sample", .data = bytes_of(data)};
}

// All registers, computed from the log alone.
void expect_log_replays(const Tpm& tpm) {
  const auto log = tcg::EventLog::open(tpm.log());
  ASSERT_TRUE(log.has_value()) << log.error().what;
  EXPECT_EQ(log->format(), tcg::LogFormat::crypto_agile);
  for (const HashAlgorithm bank : tpm.banks()) {
    tcg::Replayed replayed(bank);
    ASSERT_TRUE(tcg::replay(*log, bank, replayed).has_value());
    for (std::uint32_t pcr = 0; pcr < 17; ++pcr)
      EXPECT_EQ(replayed.pcrs[pcr], tpm.pcr(bank, pcr)) << name(bank) << " " << pcr;
  }
}

class TpmTest : public testing::Test {
 protected:
  Calls calls;
};

TEST_F(TpmTest, ExtendsEveryBankAndLogsIt) {
  Tpm tpm(calls);
  expect_log_replays(tpm);
  ASSERT_EQ(extend(tpm.protocol(), sample(11, "one")), status::success);
  ASSERT_EQ(extend(tpm.protocol(), sample(11, "two")), status::success);
  tpm.measure(4, 0x80000003, bytes_of("image"), bytes_of("path"));
  const Measurement both[] = {sample(11, "one"), sample(11, "two")};
  for (const HashAlgorithm bank : all_hash_algorithms)
    EXPECT_EQ(tpm.pcr(bank, 11), *replay(both, 11, Digest(bank)));
  expect_log_replays(tpm);
  ASSERT_EQ(tpm.events().size(), 3u);
  EXPECT_EQ(tpm.events_in(11), 2u);
  EXPECT_EQ(tpm.events()[0].type, 0xdu);
  EXPECT_EQ(tpm.events()[0].data.size(), 14u) << "the description with its NUL";
  tpm.power_cycle();
  EXPECT_TRUE(tpm.pcr(HashAlgorithm::sha256, 11).is_zero());
  EXPECT_TRUE(tpm.events().empty());
  expect_log_replays(tpm);
}

TEST_F(TpmTest, SaysWhatItIs) {
  Tpm tpm(calls, {HashAlgorithm::sha384});
  efi::Tcg2Capability capability{};
  EXPECT_EQ(tpm.protocol()->get_capability(tpm.protocol(), &capability), status::buffer_too_small);
  EXPECT_EQ(capability.size, sizeof(capability));
  EXPECT_EQ(tpm.protocol()->get_capability(tpm.protocol(), &capability), status::success);
  EXPECT_EQ(capability.active_pcr_banks, 4u);
  EXPECT_NE(capability.tpm_present, FALSE);
  UINT32 banks = 0;
  EXPECT_EQ(tpm.protocol()->get_active_pcr_banks(tpm.protocol(), &banks), status::success);
  EXPECT_EQ(banks, 4u);
}

TEST_F(TpmTest, RefusesEventsThatAreNone) {
  Tpm tpm(calls);
  efi::Tcg2Protocol* const tcg2 = tpm.protocol();
  const std::vector<std::byte> good = event_of(sample(11, "x"));
  struct Row {
    std::size_t at;
    unsigned char value;
    const char* reason;
  };
  const Row rows[] = {{0, 3, "smaller than its header"},
                      {4, 13, "another header size"},
                      {8, 2, "another version"},
                      {10, 24, "a PCR that there is not"}};
  for (const Row& row : rows) {
    std::vector<std::byte> event = good;
    event[row.at] = std::byte{row.value};
    EXPECT_EQ(tcg2->hash_log_extend_event(tcg2, 0, 0, 0, event.data()), status::invalid_parameter)
        << row.reason;
  }
  EXPECT_EQ(tcg2->hash_log_extend_event(tcg2, 0, 0, 0, nullptr), status::invalid_parameter);
  EXPECT_EQ(tcg2->hash_log_extend_event(tcg2, 2, 0, 0, std::vector(good).data()),
            status::invalid_parameter);
  EXPECT_TRUE(tpm.events().empty());
}

TEST_F(TpmTest, GoesOnExtendingWhenTheLogIsFull) {
  Tpm tpm(calls);
  ASSERT_EQ(extend(tpm.protocol(), sample(11, "one")), status::success);
  tpm.set_log_capacity(tpm.log().size() + 10);
  const Digest before = tpm.pcr(HashAlgorithm::sha256, 11);
  EXPECT_EQ(extend(tpm.protocol(), sample(11, "two")), status::volume_full);
  EXPECT_NE(tpm.pcr(HashAlgorithm::sha256, 11), before);
  EXPECT_EQ(tpm.events().size(), 1u);
  EFI_PHYSICAL_ADDRESS start = 0;
  EFI_PHYSICAL_ADDRESS last = 0;
  BOOLEAN truncated = FALSE;
  EXPECT_EQ(tpm.protocol()->get_event_log(tpm.protocol(), 2, &start, &last, &truncated),
            status::success);
  EXPECT_NE(truncated, FALSE);
  EXPECT_EQ(tpm.protocol()->get_event_log(tpm.protocol(), 1, &start, &last, &truncated),
            status::invalid_parameter)
      << "no log of the old format";
}

TEST_F(TpmTest, IsCountedAndFailedByItsCalls) {
  Tpm tpm(calls);
  calls.arm();
  calls.fail_call(1);
  EXPECT_EQ(extend(tpm.protocol(), sample(11, "x")), status::device_error);
  EXPECT_TRUE(tpm.pcr(HashAlgorithm::sha1, 11).is_zero());
  EXPECT_EQ(extend(tpm.protocol(), sample(11, "x")), status::success);
}

TEST_F(TpmTest, ConfidentialPlatformsKeepSeveralPcrsInOneRegister) {
  ConfidentialPlatform platform(calls);
  efi::CcProtocol* const cc = platform.protocol();
  efi::CcCapability capability{};
  capability.size = sizeof(capability);
  EXPECT_EQ(cc->get_capability(cc, &capability), status::success);
  UINT32 index = 99;
  EXPECT_EQ(cc->map_pcr_to_mr_index(cc, 11, &index), status::success);
  EXPECT_EQ(index, 3u);
  EXPECT_EQ(cc->map_pcr_to_mr_index(cc, 16, &index), status::unsupported);

  const Measurement measurement = sample(11, "x");
  std::vector<std::byte> event(cc_event_size(measurement));
  ASSERT_TRUE(write_cc_event(measurement, index, event).has_value());
  EXPECT_EQ(
      cc->hash_log_extend_event(cc, 0, reinterpret_cast<std::uintptr_t>(measurement.data.data()),
                                measurement.data.size(), event.data()),
      status::success);
  EXPECT_EQ(platform.value(3),
            *replay(std::span(&measurement, 1), 11, Digest(HashAlgorithm::sha384)));
  const auto log = tcg::EventLog::open(platform.log());
  ASSERT_TRUE(log.has_value());
  tcg::Replayed replayed(HashAlgorithm::sha384);
  ASSERT_TRUE(tcg::replay(*log, HashAlgorithm::sha384, replayed).has_value());
  EXPECT_EQ(replayed.pcrs[3], platform.value(3));
}

}  // namespace
}  // namespace keelson::sim
