// SPDX-License-Identifier: MIT
//
// A log of a real boot (OVMF, TPM with four banks, Debian's loader and stub) against the PCRs that
// its kernel read, and logs made here for the two formats and for every bad input of security.md 5,
// I-event log.
#include "efi/format/tcg_event_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "efi/base/wire.h"
#include "efi/format/measurement.h"

namespace keelson::tcg {
namespace {

std::string read_data(const std::string& name) {
  std::ifstream file(std::string(KEELSON_TEST_DATA "/") + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

// Collects the bytes of a log.
class LogWriter {
 public:
  LogWriter& u8(unsigned value) { return add(static_cast<std::uint8_t>(value)); }
  LogWriter& u16(unsigned value) { return add(Le(static_cast<std::uint16_t>(value))); }
  LogWriter& u32(std::uint32_t value) { return add(Le(value)); }
  LogWriter& text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  LogWriter& fill(std::size_t count, char value) {
    bytes_.append(count, value);
    return *this;
  }
  LogWriter& sha1_event(std::uint32_t pcr, std::uint32_t type, std::string_view data) {
    const Digest digest = *hash(HashAlgorithm::sha1, bytes_of(data));
    u32(pcr).u32(type).text(text_of(digest.bytes()));
    return u32(static_cast<std::uint32_t>(data.size())).text(data);
  }
  // SHA-1 layout, as the first record always has.
  LogWriter& spec_id(std::initializer_list<Bank> banks) {
    LogWriter body;
    body.text(std::string_view("Spec ID Event03\0", 16)).u32(0).u8(0).u8(2).u8(105).u8(2);
    body.u32(static_cast<std::uint32_t>(banks.size()));
    for (const Bank& bank : banks) body.u16(bank.algorithm_id).u16(bank.digest_size);
    body.u8(0);
    return raw_spec_id(body.bytes_);
  }
  LogWriter& raw_spec_id(std::string_view body) {
    return u32(0)
        .u32(event_type::no_action)
        .fill(20, '\0')
        .u32(static_cast<std::uint32_t>(body.size()))
        .text(body);
  }
  LogWriter& event(std::uint32_t pcr, std::uint32_t type, std::initializer_list<Bank> banks,
                   std::string_view data) {
    u32(pcr).u32(type).u32(static_cast<std::uint32_t>(banks.size()));
    for (const Bank& bank : banks) {
      u16(bank.algorithm_id);
      const auto algorithm = hash_algorithm_from_id(bank.algorithm_id);
      if (algorithm && digest_size(*algorithm) == bank.digest_size)
        text(text_of(hash(*algorithm, bytes_of(data))->bytes()));
      else
        fill(bank.digest_size, 'd');
    }
    return u32(static_cast<std::uint32_t>(data.size())).text(data);
  }
  std::size_t size() const { return bytes_.size(); }
  const std::string& str() const { return bytes_; }
  Bytes bytes() const { return bytes_of(std::string_view(bytes_)); }

 private:
  template <class T>
  LogWriter& add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  std::string bytes_;
};

constexpr Bank sha1_bank{0x4, 20}, sha256_bank{0xB, 32}, sm3_bank{0x12, 32};

// All events, or the error that ended the walk.
struct Walk {
  std::vector<Event> events;
  std::optional<Error> error;
};
Walk walk(Bytes bytes) {
  Walk result;
  const auto log = EventLog::open(bytes);
  if (!log.has_value()) return result.error = log.error(), result;
  auto next = log->event_at(log->first_event());
  while (next.has_value() && *next) {
    result.events.push_back(**next);
    next = log->event_at(result.events.back().offset + result.events.back().size);
  }
  if (!next.has_value()) result.error = next.error();
  return result;
}

TEST(EventLog, RealBootReplaysToThePcrsOfTheTpm) {
  const std::string bytes = read_data("event_log_ovmf.bin");
  const auto log = EventLog::open(bytes_of(std::string_view(bytes)));
  ASSERT_TRUE(log.has_value());
  EXPECT_EQ(log->format(), LogFormat::crypto_agile);
  ASSERT_EQ(log->banks().size(), 4u);
  EXPECT_EQ(walk(bytes_of(std::string_view(bytes))).events.size(), 39u)
      << "40 with the Spec ID event, says tpm2_eventlog";

  std::istringstream rows(read_data("event_log_ovmf.txt"));
  std::size_t compared = 0;
  for (std::string line; std::getline(rows, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string bank, value;
    std::uint32_t pcr = 0;
    fields >> bank >> pcr >> value;
    const HashAlgorithm algorithm = *parse_hash_algorithm(bank);
    Replayed replayed(algorithm);
    ASSERT_TRUE(replay(*log, algorithm, replayed).has_value());
    EXPECT_EQ(std::string_view(replayed.pcrs[pcr].hex()), value) << bank << " PCR " << pcr;
    EXPECT_EQ(replayed.foreign_events, 0u);
    EXPECT_EQ(replayed.events, 39u);
    ++compared;
  }
  EXPECT_EQ(compared, 4u * 15);
}

// The events of PCR 11 are those that a list of the same sections gives.
TEST(EventLog, RealBootHasTheEventsOfAMeasurementList) {
  const std::string bytes = read_data("event_log_ovmf.bin");
  const Walk all = walk(bytes_of(std::string_view(bytes)));
  ASSERT_FALSE(all.error);
  MeasurementList list;
  for (const UkiSection id :
       {UkiSection::kernel, UkiSection::osrel, UkiSection::cmdline, UkiSection::initrd})
    ASSERT_TRUE(
        list.add_section(id, {.stored = bytes_of(std::string_view("-")), .zeros = 0}).has_value());
  std::size_t found = 0;
  for (const Event& event : all.events) {
    if (event.pcr != pcr::kernel_image) continue;
    ASSERT_LT(found, list.items().size());
    const Measurement& expected = list.items()[found];
    EXPECT_EQ(event.type, static_cast<std::uint32_t>(expected.kind));
    std::array<std::byte, 64> room{};
    const Bytes written = *write_tcg2_event(expected, room);
    EXPECT_EQ(text_of(event.data), text_of(written.subspan(18))) << found;
    if (found % 2 == 0)
      EXPECT_EQ(text_of(*event.digest(HashAlgorithm::sha256)),
                text_of(event_digest(expected, HashAlgorithm::sha256)->bytes()));
    ++found;
  }
  EXPECT_EQ(found, list.items().size());
}

TEST(EventLog, EveryPrefixOfARealLogParsesOrErrs) {
  const std::string bytes = read_data("event_log_ovmf.bin");
  const Walk whole = walk(bytes_of(std::string_view(bytes)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<char> copy(
        bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));  // ends where it ends
    const Walk part = walk(std::as_bytes(std::span(copy)));
    EXPECT_LE(part.events.size(), whole.events.size());
    if (!part.error) {
      const std::size_t end =
          part.events.empty() ? 0 : part.events.back().offset + part.events.back().size;
      EXPECT_LE(end, size);
      for (std::size_t i = end; i < size && !part.events.empty(); ++i)
        EXPECT_EQ(copy[i], '\0') << "only zeros are an end";
    }
  }
}

TEST(EventLog, Sha1Only) {
  LogWriter writer;
  writer.sha1_event(0, event_type::separator, "zero")
      .sha1_event(4, event_type::action, "four")
      .sha1_event(4, event_type::ipl, "");
  const Walk all = walk(writer.bytes());
  ASSERT_FALSE(all.error);
  ASSERT_EQ(all.events.size(), 3u);
  EXPECT_EQ(all.events[0].offset, 0u) << "no Spec ID event: the first event counts";
  EXPECT_EQ(all.events[1].pcr, 4u);
  EXPECT_EQ(text_of(all.events[1].data), "four");
  const auto log = EventLog::open(writer.bytes());
  EXPECT_EQ(log->format(), LogFormat::sha1_only);
  Replayed replayed(HashAlgorithm::sha1);
  ASSERT_TRUE(replay(*log, HashAlgorithm::sha1, replayed).has_value());
  Digest four(HashAlgorithm::sha1);
  four = *extend(four, *hash(HashAlgorithm::sha1, bytes_of(std::string_view("four"))));
  four = *extend(four, *hash(HashAlgorithm::sha1, {}));
  EXPECT_EQ(replayed.pcrs[4], four);
  EXPECT_EQ(replay(*log, HashAlgorithm::sha256, replayed).error().code, Errc::not_found);
}

TEST(EventLog, EmptyAndZeroLogs) {
  EXPECT_TRUE(walk({}).events.empty());
  EXPECT_FALSE(walk({}).error);
  const std::vector<std::byte> zeros(4096);
  EXPECT_TRUE(walk(zeros).events.empty());
  EXPECT_FALSE(walk(zeros).error);
}

TEST(EventLog, TrailingZerosEndTheLog) {
  for (const std::size_t zeros : {1u, 11u, 12u, 13u, 1000u}) {
    LogWriter writer;
    writer.spec_id({sha256_bank})
        .event(7, event_type::separator, {sha256_bank}, "x")
        .fill(zeros, '\0');
    const Walk all = walk(writer.bytes());
    EXPECT_FALSE(all.error) << zeros;
    EXPECT_EQ(all.events.size(), 1u) << zeros;
  }
}

struct BadRow {
  LogWriter log;
  Errc code;
  std::string_view reason;
};

TEST(EventLog, BadInputs) {
  const auto start = [](std::initializer_list<Bank> banks = {sha256_bank}) {
    return LogWriter().spec_id(banks);
  };
  const auto spec_id_body = [](std::uint32_t banks) {
    return LogWriter()
        .text(std::string_view("Spec ID Event03\0", 16))
        .u32(0)
        .u32(0x02690200)
        .u32(banks)
        .str();
  };
  const BadRow rows[] = {
      {LogWriter().u32(4).u32(6).fill(20, 'd').u32(5).text("four"), Errc::truncated,
       "SHA-1 event one byte short"},
      {LogWriter().u32(4).u32(6).fill(20, 'd').u32(0xFFFFFFFF), Errc::truncated,
       "event size past everything"},
      {LogWriter().u32(4).u32(6), Errc::truncated, "first record cut off"},
      {LogWriter().raw_spec_id(std::string_view("Spec ID Event03\0\0\0", 18)), Errc::truncated,
       "Spec ID event of 18 bytes"},
      {LogWriter().raw_spec_id(spec_id_body(0)), Errc::malformed, "no banks"},
      {LogWriter().raw_spec_id(spec_id_body(17)), Errc::malformed, "more banks than anyone has"},
      {LogWriter().raw_spec_id(spec_id_body(0xFFFFFFFF)), Errc::malformed, "banks without end"},
      {LogWriter().raw_spec_id(spec_id_body(2)), Errc::truncated,
       "banks past the end of the event"},
      {start({{0xB, 20}}), Errc::malformed, "SHA-256 of 20 bytes"},
      {start({{0x12, 0}}), Errc::malformed, "empty digests"},
      {start({sha256_bank, sha256_bank}), Errc::malformed, "one bank twice"},
      {start().u32(7).u32(4).u32(0).u32(0), Errc::malformed, "no digests"},
      {start().u32(7).u32(4).u32(2).u16(0xB).fill(32, 'd').u16(0xB).fill(32, 'd').u32(0),
       Errc::malformed, "more digests than banks"},
      {start().u32(7).u32(4).u32(0xFFFFFFFF).fill(100, 'd'), Errc::malformed,
       "digests without end"},
      {start().event(7, 4, {sm3_bank}, "x"), Errc::malformed, "unannounced algorithm"},
      {start().u32(7).u32(4).u32(1).u16(0xB).fill(31, 'd'), Errc::truncated, "digest cut off"},
      {start().u32(7).u32(4).u32(1).u16(0xB).fill(32, 'd').u16(1), Errc::truncated, "size cut off"},
      {start().u32(7).u32(4).u32(1).u16(0xB).fill(32, 'd').u32(6).text("fives"), Errc::truncated,
       "last event cut off"},
      {start().u32(7).u32(4).u32(1).u16(0xB).fill(32, 'd').u32(0xFFFFFFFF), Errc::truncated,
       "size of 4 GiB"},
      {start().u32(7).u16(4), Errc::truncated, "header cut off"},
  };
  for (const BadRow& row : rows) {
    const Walk all = walk(row.log.bytes());
    ASSERT_TRUE(all.error) << row.reason;
    EXPECT_EQ(all.error->code, row.code) << row.reason;
    EXPECT_TRUE(all.events.empty()) << row.reason;
  }
}

TEST(EventLog, AnOffsetPastTheEnd) {
  const LogWriter log = LogWriter().spec_id({sha256_bank});
  EXPECT_EQ(EventLog::open(log.bytes())->event_at(log.size() + 1).error().code, Errc::truncated);
}

TEST(EventLog, BanksThatWeCannotCompute) {
  LogWriter writer;
  writer.spec_id({sm3_bank, sha256_bank})
      .event(7, 4, {sm3_bank, sha256_bank}, "x")
      .event(7, 4, {sm3_bank}, "y");
  const Walk all = walk(writer.bytes());
  ASSERT_EQ(all.events.size(), 2u);
  EXPECT_EQ(all.events[0].digests.size(), 2u);
  EXPECT_EQ(text_of(*all.events[0].digest(HashAlgorithm::sha256)),
            text_of(sha256(bytes_of(std::string_view("x"))).bytes()));
  EXPECT_EQ(all.events[1].digest(HashAlgorithm::sha256), std::nullopt);
  Replayed replayed(HashAlgorithm::sha256);
  ASSERT_TRUE(replay(*EventLog::open(writer.bytes()), HashAlgorithm::sha256, replayed).has_value());
  EXPECT_EQ(replayed.events, 1u);
  EXPECT_EQ(replayed.foreign_events, 1u) << "the event without a digest of the bank";
}

TEST(EventLog, PcrsThatDoNotExist) {
  LogWriter writer;
  writer.spec_id({sha256_bank})
      .event(24, 4, {sha256_bank}, "x")
      .event(0xFFFFFFFF, 4, {sha256_bank}, "x")
      .event(23, 4, {sha256_bank}, "x");
  Replayed replayed(HashAlgorithm::sha256);
  ASSERT_TRUE(replay(*EventLog::open(writer.bytes()), HashAlgorithm::sha256, replayed).has_value());
  EXPECT_EQ(replayed.foreign_events, 2u);
  EXPECT_FALSE(replayed.pcrs[23].is_zero());
}

TEST(EventLog, WhatAReplayStartsFrom) {
  LogWriter writer;
  writer.spec_id({sha256_bank})
      .event(0, event_type::no_action, {sha256_bank}, std::string_view("StartupLocality\0\3", 17))
      .event(7, event_type::no_action, {sha256_bank}, "not extended");
  Replayed replayed(HashAlgorithm::sha256);
  ASSERT_TRUE(replay(*EventLog::open(writer.bytes()), HashAlgorithm::sha256, replayed).has_value());
  EXPECT_EQ(replayed.events, 0u);
  EXPECT_EQ(std::string_view(replayed.pcrs[0].hex()), std::string(63, '0') + "3") << "locality 3";
  EXPECT_TRUE(replayed.pcrs[7].is_zero());
  EXPECT_TRUE(replayed.pcrs[16].is_zero());
  EXPECT_EQ(std::string_view(replayed.pcrs[17].hex()), std::string(64, 'f'));
  EXPECT_EQ(std::string_view(replayed.pcrs[22].hex()), std::string(64, 'f'));
  EXPECT_TRUE(replayed.pcrs[23].is_zero());
}

TEST(EventLog, FiftyMiB) {
  LogWriter writer;
  writer.spec_id({sha1_bank, sha256_bank});
  const std::string data(1000, 'x');
  while (writer.size() < 50_MiB)
    writer.u32(1).u32(4).u32(1).u16(4).fill(20, 'd').u32(1000).text(data);
  const auto log = EventLog::open(writer.bytes());
  std::size_t events = 0;
  auto next = log->event_at(log->first_event());
  while (next.has_value() && *next) {
    ++events;
    next = log->event_at((*next)->offset + (*next)->size);
  }
  EXPECT_TRUE(next.has_value());
  EXPECT_EQ(events, (writer.size() - log->first_event()) / 1038);
}

// ---- What the loader asks: was PCR 11 to 13 extended since the image was read?

constexpr RegisterSet kernel_pcrs = register_bit(11) | register_bit(12) | register_bit(13);

// A log and the offsets of its events; the Spec ID event is number 0.
struct Sample {
  LogWriter log;
  std::vector<std::uint64_t> events;
  explicit Sample(std::initializer_list<std::uint32_t> pcrs, std::uint32_t type = event_type::ipl) {
    events.push_back(0);
    log.spec_id({sha256_bank});
    for (const std::uint32_t pcr : pcrs) {
      events.push_back(log.size());
      log.event(pcr, type, {sha256_bank}, "data");
    }
  }
  // As firmware gives it: of the last event only the first 8 bytes are surely there.
  LogSnapshot snapshot(std::size_t last) const {
    return {.bytes = log.bytes().first(static_cast<std::size_t>(events[last] + 8)),
            .last_event = events[last]};
  }
};

TEST(ExtendedSince, RegistersOfLaterEvents) {
  const Sample sample({4, 11, 4, 5, 13});
  struct Row {
    std::size_t seen, last;
    bool extended;
    std::string_view reason;
  };
  constexpr Row rows[] = {
      {0, 0, false, "nothing but the Spec ID event"},
      {0, 1, false, "LoadImage alone adds an event for PCR 4"},
      {0, 2, true, "PCR 11 is the last event"},
      {1, 2, true, "the same, seen up to before"},
      {2, 2, false, "PCR 11 was extended before"},
      {2, 4, false, "4 and 5 since"},
      {1, 4, true, "PCR 11 is between"},
      {0, 4, true, "PCR 11 is between, nothing seen"},
      {4, 5, true, "PCR 13"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(extended_since(sample.snapshot(row.last), sample.events[row.seen], kernel_pcrs),
              row.extended)
        << row.reason;
  EXPECT_TRUE(extended_since(sample.snapshot(2), std::nullopt, kernel_pcrs))
      << "there was no log before";
  EXPECT_FALSE(extended_since(sample.snapshot(1), std::nullopt, kernel_pcrs));
  EXPECT_FALSE(extended_since(sample.snapshot(0), std::nullopt, kernel_pcrs));
  EXPECT_FALSE(extended_since({}, std::nullopt, kernel_pcrs)) << "still no events";
  EXPECT_TRUE(extended_since(sample.snapshot(1), sample.events[0], register_bit(4)))
      << "other registers, as a CC log has";
}

TEST(ExtendedSince, EventsThatExtendNothing) {
  const Sample sample({11, 12}, event_type::no_action);
  EXPECT_FALSE(extended_since(sample.snapshot(1), sample.events[0], kernel_pcrs));
  EXPECT_FALSE(extended_since(sample.snapshot(2), sample.events[0], kernel_pcrs));
}

TEST(ExtendedSince, Sha1OnlyLog) {
  LogWriter writer;
  writer.sha1_event(0, event_type::separator, "a");
  const std::uint64_t second = writer.size();
  writer.sha1_event(12, event_type::ipl, "b");
  const std::uint64_t third = writer.size();
  writer.sha1_event(4, event_type::ipl, "c");
  const auto snapshot = [&](std::uint64_t last) {
    return LogSnapshot{.bytes = writer.bytes().first(static_cast<std::size_t>(last + 8)),
                       .last_event = last};
  };
  EXPECT_FALSE(extended_since(snapshot(0), std::nullopt, kernel_pcrs));
  EXPECT_TRUE(extended_since(snapshot(0), std::nullopt, register_bit(0)))
      << "the first event counts here";
  EXPECT_TRUE(extended_since(snapshot(second), 0, kernel_pcrs));
  EXPECT_TRUE(extended_since(snapshot(third), 0, kernel_pcrs));
  EXPECT_TRUE(extended_since(snapshot(third), std::nullopt, kernel_pcrs));
  EXPECT_FALSE(extended_since(snapshot(third), second, kernel_pcrs));
}

TEST(ExtendedSince, WhatCannotBeReadCountsAsExtended) {
  const Sample sample({4, 4, 4});
  LogSnapshot snapshot = sample.snapshot(3);
  EXPECT_FALSE(extended_since(snapshot, sample.events[1], kernel_pcrs)) << "as it is";

  snapshot.truncated = true;
  EXPECT_TRUE(extended_since(snapshot, sample.events[3], kernel_pcrs)) << "truncated";
  EXPECT_TRUE(
      extended_since({.bytes = {}, .last_event = {}, .truncated = true}, std::nullopt, kernel_pcrs))
      << "truncated and empty";
  EXPECT_TRUE(extended_since({}, sample.events[1], kernel_pcrs)) << "the log is gone";
  EXPECT_TRUE(extended_since(sample.snapshot(1), sample.events[3], kernel_pcrs)) << "it shrank";

  snapshot = sample.snapshot(3);
  snapshot.bytes = snapshot.bytes.first(snapshot.bytes.size() - 1);
  EXPECT_TRUE(extended_since(snapshot, sample.events[1], kernel_pcrs)) << "last event unreadable";
  snapshot = sample.snapshot(3);
  snapshot.last_event = *snapshot.last_event - 1;
  EXPECT_TRUE(extended_since(snapshot, sample.events[1], kernel_pcrs))
      << "the walk misses the last event";
  EXPECT_TRUE(extended_since(sample.snapshot(3), sample.events[1] + 1, kernel_pcrs))
      << "the event seen last is none";

  std::string bytes = sample.log.str();
  bytes[sample.events[2] + 8] = 9;  // digests of an event between
  EXPECT_TRUE(
      extended_since({.bytes = bytes_of(std::string_view(bytes)), .last_event = sample.events[3]},
                     sample.events[1], kernel_pcrs))
      << "malformed event";
  bytes = sample.log.str();
  bytes.replace(sample.events[2], 12, 12, '\0');
  EXPECT_TRUE(
      extended_since({.bytes = bytes_of(std::string_view(bytes)), .last_event = sample.events[3]},
                     sample.events[1], kernel_pcrs))
      << "zeros before the last event";
  bytes = sample.log.str();
  bytes[32 + 24] = 0;  // number of banks
  EXPECT_TRUE(
      extended_since({.bytes = bytes_of(std::string_view(bytes)), .last_event = sample.events[3]},
                     sample.events[1], kernel_pcrs))
      << "no Spec ID event";
}

}  // namespace
}  // namespace keelson::tcg
