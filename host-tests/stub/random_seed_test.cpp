// SPDX-License-Identifier: MIT
//
// Seed and boot secret on the simulated machine (stub/random_seed.h, stub/boot_secret.h; stub.md
// 8.3, 8.4): from what they are made, where they end up, and every reason why there is none.
#include "stub/random_seed.h"

#include <cstring>
#include <functional>

#include "efi/base/digest.h"
#include "efi/firmware/seed_table.h"
#include "efi/format/random_seed.h"
#include "host-tests/firmware/in_firmware.h"
#include "host-tests/recorded_diagnostics.h"
#include "stub/boot_secret.h"

namespace keelson {
namespace {

namespace li = loader_interface;
using Buffer = std::vector<std::byte>;
using Operation = sim::Volume::Operation;

constexpr std::u16string_view seed_path = u"\\loader\\random-seed";
constexpr std::u16string_view mixin_path = u"\\loader\\boot-secret-mixin";
constexpr Guid table_id = "1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b"_guid;

Buffer full_of(std::size_t size, int value) { return Buffer(size, static_cast<std::byte>(value)); }
Buffer copy(Bytes bytes) { return Buffer(bytes.begin(), bytes.end()); }

// A run begins with power-on: variables that were set before must be non-volatile to be there.
// The machine of most rows: random numbers, a seed file of 64 bytes, a token.
struct Machine : sim::Firmware {
  explicit Machine(sim::Options options = {.random_numbers = true}) : sim::Firmware(options) {
    esp().add(seed_path, full_of(64, 0x44));
    variables().set(li::loader_system_token, full_of(32, 0x33));
  }
};

struct Outcome {
  Buffer table;  // of the kernel; empty: none
  bool gate_open = true;
  RecordedDiagnostics messages;
};

void install_earlier_table(sim::Firmware& firmware, std::uint32_t size) {
  auto* const table = static_cast<std::byte*>(firmware.memory().give_pool(4 + size));
  std::memcpy(table, &size, 4);
  std::memset(table + 4, 0x11, size);
  EXPECT_EQ(firmware.configuration().install(table_id, table), efi::status::success);
}

// Runs the step, looks at what a kernel would see. What is left behind afterwards is a failure.
// `loader` has run before in the same boot.
Outcome pass(sim::Firmware& firmware, bool secure_boot = false,
             const std::function<void()>& loader = [] {}) {
  Outcome outcome;
  efi::run_in(firmware, [&](efi::Image& self) {
    loader();
    efi::WriteGate gate;
    stub::pass_random_seed(self, secure_boot, gate, outcome.messages);
    outcome.gate_open = gate.is_open();
    outcome.table = copy(efi::seed_table());
  });
  return outcome;
}

Seeds expected_seeds(const Machine& machine, std::uint64_t count, bool random, bool counts,
                     Bytes file) {
  static const Buffer numbers = full_of(32, 0x5a);
  static const Buffer token = full_of(32, 0x33);
  static EFI_TIME time;
  time = const_cast<Machine&>(machine).random().time();
  SeedSources sources{.token = token, .file = file};
  if (random) sources.firmware = numbers;
  if (counts) sources.monotonic_count = count;
  sources.time = std::as_bytes(std::span(&time, 1));
  return mix_seeds(sources);
}

TEST(RandomSeed, ReplacesTheFileAndHandsOnATable) {
  Machine machine;
  const Seeds expected =
      expected_seeds(machine, machine.random().count(), true, true, full_of(64, 0x44));
  const Outcome outcome = pass(machine);
  EXPECT_TRUE(outcome.messages.messages.empty());
  EXPECT_EQ(outcome.table, copy(expected.kernel.bytes()));
  Buffer file = copy(expected.file.bytes());
  file.resize(64);
  EXPECT_EQ(machine.esp().content(seed_path), file) << "what lies beyond is zero";
  EXPECT_EQ(machine.esp().writes(), (std::vector<std::u16string>{u"write \\loader\\random-seed",
                                                                 u"flush \\loader\\random-seed"}));
}

TEST(RandomSeed, TheTableComesAfterTheFlush) {
  Machine machine;
  pass(machine);
  std::size_t flushed = 0, installed = 0, at = 0;
  for (const sim::Call& call : machine.calls().list()) {
    ++at;
    if (call.name == "File.Flush") flushed = at;
    if (call.name == "InstallConfigurationTable" && installed == 0) installed = at;
  }
  EXPECT_NE(flushed, 0u);
  EXPECT_LT(flushed, installed);
}

TEST(RandomSeed, EveryBootHasAnother) {
  Machine machine;
  const Buffer first = pass(machine).table;
  const Buffer first_file = machine.esp().content(seed_path);
  const Buffer second = pass(machine).table;
  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(second.size(), 32u);
  EXPECT_NE(first, second);
  EXPECT_NE(first_file, machine.esp().content(seed_path));
}

TEST(RandomSeed, OfTheDiskAloneIfThereIsATokenAndACounter) {
  Machine machine{sim::Options{}};
  const Seeds expected =
      expected_seeds(machine, machine.random().count(), false, true, full_of(64, 0x44));
  EXPECT_EQ(pass(machine).table, copy(expected.kernel.bytes()));
}

TEST(RandomSeed, WithoutCounterIfThereAreRandomNumbers) {
  Machine machine;
  machine.calls().fail_every("GetNextMonotonicCount", efi::status::device_error);
  const Seeds expected = expected_seeds(machine, 0, true, false, full_of(64, 0x44));
  EXPECT_EQ(pass(machine).table, copy(expected.kernel.bytes()));
}

TEST(RandomSeed, WorksWithoutAClockAndFromXbootldr) {
  Machine no_clock;
  no_clock.random().set_has_clock(false);
  EXPECT_EQ(pass(no_clock).table.size(), 32u);

  Machine two_volumes({.xbootldr = true, .random_numbers = true});
  two_volumes.xbootldr().add(seed_path, full_of(64, 0x99));
  EXPECT_EQ(pass(two_volumes).table.size(), 32u);
  EXPECT_TRUE(two_volumes.xbootldr().writes().empty()) << "the ESP's file counts";
}

struct SkipRow {
  const char* name;
  sim::Options options;
  bool secure_boot;
  std::function<void(Machine&)> prepare;
  bool gate_open;
  // Messages: none, or one of this kind.
  std::optional<Severity> message;
};
void nothing(Machine&) {}
void let_fail(Machine& machine, Operation operation, std::uint64_t nth = 1) {
  machine.esp().fail(operation, seed_path, efi::status::device_error, nth);
}
const sim::Options with_numbers = {.random_numbers = true};
const SkipRow skips[] = {
    {"NoGpt", with_numbers, false, [](Machine& m) { m.disk().wipe_tables(); }, true,
     Severity::info},
    {"NoFile", with_numbers, false, [](Machine& m) { m.esp().remove(seed_path); }, true,
     std::nullopt},
    {"EmptyFile", with_numbers, false, [](Machine& m) { m.esp().add(seed_path, ""); }, true,
     Severity::info},
    {"ShortFile", with_numbers, false, [](Machine& m) { m.esp().add(seed_path, full_of(31, 1)); },
     true, Severity::info},
    {"HugeFile", with_numbers, false,
     [](Machine& m) { m.esp().add(seed_path, full_of(32 * 1024 + 1, 1)); }, true, Severity::info},
    {"ADirectory", with_numbers, false,
     [](Machine& m) {
       m.esp().remove(seed_path);
       m.esp().add_directory(seed_path);
     },
     true, Severity::info},
    {"FileReadOnly", with_numbers, false, [](Machine& m) { m.esp().set_attributes(seed_path, 1); },
     true, Severity::info},
    {"VolumeReadOnly", with_numbers, false, [](Machine& m) { m.esp().set_read_only(true); }, true,
     Severity::info},
    {"ReadFails", with_numbers, false, [](Machine& m) { let_fail(m, Operation::read); }, true,
     Severity::info},
    {"OpenForWritingFails", with_numbers, false,
     [](Machine& m) { let_fail(m, Operation::open, 3); }, false, Severity::warning},
    {"WriteFails", with_numbers, false, [](Machine& m) { let_fail(m, Operation::write); }, false,
     Severity::warning},
    {"FlushFails", with_numbers, false, [](Machine& m) { let_fail(m, Operation::flush); }, false,
     Severity::warning},
    {"SecureBootWithoutNumbers", {}, true, nothing, true, Severity::info},
    {"NoToken",
     {},
     false,
     [](Machine& m) { m.variables().remove(li::loader_system_token); },
     true,
     Severity::info},
    {"ShortToken",
     {},
     false,
     [](Machine& m) { m.variables().set(li::loader_system_token, full_of(31, 1)); },
     true,
     Severity::info},
    {"TokenTooLongToBeOne",
     {},
     false,
     [](Machine& m) { m.variables().set(li::loader_system_token, full_of(1025, 1)); },
     true,
     Severity::info},
    {"NoCounter",
     {},
     false,
     [](Machine& m) { m.calls().fail_every("GetNextMonotonicCount", efi::status::device_error); },
     true,
     Severity::info},
    {"NumbersNotReady",
     {.random_numbers = true},
     true,
     [](Machine& m) { m.calls().fail_every("Rng.GetRNG", efi::status::not_ready); },
     true,
     Severity::info},
    {"NoMemoryForTheTable", with_numbers, false,
     [](Machine& m) { m.calls().fail_every("AllocatePool", efi::status::out_of_resources, "36"); },
     true, Severity::info},
    {"TableRefused", with_numbers, false,
     [](Machine& m) {
       m.calls().fail_every("InstallConfigurationTable", efi::status::out_of_resources);
     },
     true, Severity::info},
};

TEST(RandomSeed, EveryReasonWhyThereIsNone) {
  for (const SkipRow& row : skips) {
    SCOPED_TRACE(row.name);
    Machine machine(row.options);
    row.prepare(machine);
    const auto files = machine.esp().files();
    const bool was_there = machine.esp().exists(seed_path);
    const Buffer before = machine.esp().content(seed_path);
    const Outcome outcome = pass(machine, row.secure_boot);
    EXPECT_TRUE(outcome.table.empty()) << "F12: no seed without a new file";
    EXPECT_EQ(outcome.gate_open, row.gate_open);
    ASSERT_EQ(outcome.messages.messages.size(), row.message ? 1u : 0u);
    if (row.message) EXPECT_EQ(outcome.messages.messages[0].severity, *row.message);
    EXPECT_EQ(machine.esp().files(), files) << "R15: nothing is made";
    EXPECT_EQ(machine.esp().exists(seed_path), was_there);
    EXPECT_EQ(machine.esp().content(seed_path).size(), before.size());
  }
}

TEST(RandomSeed, WhatTheLoaderHasDoneIsNotDoneAgain) {
  const Buffer bit = copy(li::encode_u64(li::loader_feature::random_seed));
  const Buffer others = copy(li::encode_u64(~li::loader_feature::random_seed));
  struct Row {
    Buffer features;
    std::uint32_t attributes;
    bool passed;
    const char* why;
  };
  const Row rows[] = {
      {bit, li::volatile_attributes, false, "the loader did it"},
      {others, li::volatile_attributes, true, "it did other things"},
      {full_of(9, 0xff), li::volatile_attributes, true, "of another size"},
      {bit, li::persistent_attributes, true, "the operating system left it"},
  };
  for (const Row& row : rows) {
    Machine machine{sim::Options{}};
    const Outcome outcome = pass(machine, false, [&] {
      machine.variables().set(li::loader_features, row.features, row.attributes);
    });
    EXPECT_EQ(!outcome.table.empty(), row.passed) << row.why;
    EXPECT_EQ(!machine.esp().writes().empty(), row.passed) << row.why;
    EXPECT_TRUE(outcome.messages.messages.empty()) << row.why;
  }
}

TEST(RandomSeed, AnEarlierTableGoesIntoTheNewOneEvenWithSecureBoot) {
  Machine machine{sim::Options{}};
  Buffer seed;
  machine.run([&](efi::Image& self) -> Result<> {
    install_earlier_table(machine, 32);
    efi::WriteGate gate;
    RecordedDiagnostics messages;
    stub::pass_random_seed(self, true, gate, messages);
    seed = copy(efi::seed_table());
    EXPECT_TRUE(messages.messages.empty());
    return {};
  });
  EXPECT_EQ(seed.size(), 32u);
  EXPECT_NE(seed, full_of(32, 0x11));
  EXPECT_TRUE(machine.memory().problems().empty());
  EXPECT_TRUE(machine.memory().leaks().empty()) << "the earlier one was freed";
}

TEST(RandomSeed, AnEarlierTableStaysIfNothingReplacesIt) {
  Machine machine{sim::Options{}};
  machine.esp().remove(seed_path);
  Buffer seed;
  machine.run([&](efi::Image& self) -> Result<> {
    install_earlier_table(machine, 32);
    efi::WriteGate gate;
    RecordedDiagnostics messages;
    stub::pass_random_seed(self, false, gate, messages);
    seed = copy(efi::seed_table());
    return {};
  });
  EXPECT_EQ(seed, full_of(32, 0x11));
}

// Of everything that is freed nothing holds a seed, the old file's bytes or the token.
TEST(RandomSeed, WhatWasSecretIsWiped) {
  Machine machine;
  Buffer seed;
  std::vector<Buffer> freed;
  machine.memory().before_free([&](Bytes block) { freed.push_back(copy(block)); });
  efi::run_in(machine, [&](efi::Image& self) {
    efi::WriteGate gate;
    RecordedDiagnostics messages;
    stub::pass_random_seed(self, false, gate, messages);
    seed = copy(efi::seed_table());
  });
  machine.memory().before_free({});
  const Buffer new_file = machine.esp().content(seed_path);
  ASSERT_FALSE(freed.empty());
  for (const Buffer& secret :
       {seed, Buffer(new_file.begin(), new_file.begin() + 32), full_of(32, 0x44)})
    for (const Buffer& block : freed)
      EXPECT_TRUE(std::ranges::search(block, secret).empty()) << "in a block that was freed";
}

TEST(RandomSeed, EveryFailingCallGivesASeedOrNoneButNeverWithoutANewFile) {
  Machine counted;
  pass(counted);
  const std::uint64_t calls = counted.calls().count();
  for (std::uint64_t n = 1; n <= calls; ++n) {
    Machine machine;
    machine.calls().fail_call(n);
    const Outcome outcome = pass(machine);
    if (!outcome.table.empty()) EXPECT_NE(machine.esp().content(seed_path), full_of(64, 0x44)) << n;
    EXPECT_EQ(machine.esp().content(seed_path).size(), 64u) << n;
  }
}

// ---- The boot secret ----

constexpr std::string_view os_release = "ID=test\n";
Buffer mixin_bytes() { return full_of(40, 0x77); }

struct SecretOutcome {
  Buffer secret;  // empty: none
  Buffer table;   // afterwards
  RecordedDiagnostics messages;
};

SecretOutcome find_secret(sim::Firmware& firmware, std::uint32_t table_size = 32,
                          std::string_view text = os_release) {
  SecretOutcome outcome;
  const sim::Run run = firmware.run([&](efi::Image& self) -> Result<> {
    if (table_size != 0) install_earlier_table(firmware, table_size);
    const auto secret = stub::boot_secret(self, bytes_of(text), outcome.messages);
    if (secret) outcome.secret = copy(secret->bytes());
    outcome.table = copy(efi::seed_table());
    return {};
  });
  EXPECT_EQ(name(run.end), "returned");
  EXPECT_TRUE(firmware.memory().problems().empty());
  EXPECT_TRUE(firmware.esp().writes().empty()) << "volumes are only read";
  return outcome;
}

struct SecretMachine : sim::Firmware {
  SecretMachine() { esp().add(mixin_path, mixin_bytes()); }
};

TEST(BootSecretStep, IsMadeOnceAndTheSameEverAfter) {
  SecretMachine machine;
  const SecretOutcome first = find_secret(machine);
  ASSERT_EQ(first.secret.size(), 32u);
  const auto variable = machine.variables().get(li::loader_boot_secret);
  ASSERT_TRUE(variable.has_value());
  EXPECT_EQ(variable->attributes, 3u) << "out of reach of the OS";
  EXPECT_EQ(variable->data, copy(make_secret(full_of(32, 0x11)).bytes()));
  EXPECT_NE(first.table, full_of(32, 0x11)) << "nobody makes it again of the same seed";
  EXPECT_EQ(
      first.secret,
      copy(derive_secret({.variable = variable->data, .mixin = full_of(32, 0x77), .id = "test"})
               .bytes()));
  const SecretOutcome second = find_secret(machine, 64);
  EXPECT_EQ(second.secret, first.secret);
  EXPECT_EQ(second.table, full_of(64, 0x11)) << "nothing was taken from the seed";
  EXPECT_NE(find_secret(machine, 32, "ID=other\n").secret, first.secret);
}

struct SecretRow {
  const char* name;
  std::uint32_t table_size;
  std::function<void(sim::Firmware&)> prepare;
  bool is_told = true;  // what is simply not there is nothing out of the ordinary
};
void set_variable(sim::Firmware& firmware, std::size_t size, std::uint32_t attributes) {
  firmware.variables().set(li::loader_boot_secret, full_of(size, 0x66), attributes);
}
const SecretRow no_secrets[] = {
    {"NoTable", 0, [](sim::Firmware&) {}, false},
    {"ShortTable", 31, [](sim::Firmware&) {}},
    {"NoMixin", 32, [](sim::Firmware& f) { f.esp().remove(mixin_path); }, false},
    {"EmptyMixin", 32, [](sim::Firmware& f) { f.esp().add(mixin_path, ""); }},
    {"ShortMixin", 32, [](sim::Firmware& f) { f.esp().add(mixin_path, full_of(31, 1)); }},
    {"MixinIsADirectory", 32,
     [](sim::Firmware& f) {
       f.esp().remove(mixin_path);
       f.esp().add_directory(mixin_path);
     }},
    {"MixinCannotBeRead", 32,
     [](sim::Firmware& f) {
       f.esp().fail(Operation::read, mixin_path, efi::status::device_error);
     }},
    {"VariableReadableByTheOs", 32, [](sim::Firmware& f) { set_variable(f, 32, 7); }},
    {"VariableVolatile", 32,
     [](sim::Firmware& f) {
       f.variables().before_get([](sim::Variables& variables) {
         variables.set(li::loader_boot_secret, full_of(32, 0x66), li::boot_access);
       });
     }},
    {"VariableTooShort", 32, [](sim::Firmware& f) { set_variable(f, 31, 3); }},
    {"VariableTooLong", 32, [](sim::Firmware& f) { set_variable(f, 33, 3); }},
    {"VariableCannotBeRead", 32,
     [](sim::Firmware& f) {
       f.calls().fail_every("GetVariable", efi::status::device_error, "LoaderBootSecret");
     }},
    {"VariableCannotBeWritten", 32,
     [](sim::Firmware& f) { f.variables().refuse_writes(li::loader_boot_secret); }},
};

TEST(BootSecretStep, EveryReasonWhyThereIsNone) {
  for (const SecretRow& row : no_secrets) {
    SCOPED_TRACE(row.name);
    SecretMachine machine;
    row.prepare(machine);
    const auto before = machine.variables().get(li::loader_boot_secret);
    const SecretOutcome outcome = find_secret(machine, row.table_size);
    EXPECT_TRUE(outcome.secret.empty());
    EXPECT_EQ(outcome.messages.messages.size(), row.is_told ? 1u : 0u);
    machine.variables().before_get({});
    const auto after = machine.variables().get(li::loader_boot_secret);
    EXPECT_TRUE(after == before || after->attributes == li::boot_access)
        << "the variable is not made for nothing, and not replaced";
  }
}

TEST(BootSecretStep, IsMadeOfTheSeedThatWasPassedOn) {
  SecretMachine machine;
  machine.esp().add(seed_path, full_of(32, 0x44));
  machine.variables().set(li::loader_system_token, full_of(32, 0x33));
  Buffer before, after, secret;
  efi::run_in(machine, [&](efi::Image& self) {
    efi::WriteGate gate;
    RecordedDiagnostics messages;
    stub::pass_random_seed(self, false, gate, messages);
    before = copy(efi::seed_table());
    const auto found = stub::boot_secret(self, bytes_of(os_release), messages);
    ASSERT_TRUE(found.has_value());
    secret = copy(found->bytes());
    after = copy(efi::seed_table());
    EXPECT_TRUE(messages.messages.empty());
  });
  EXPECT_EQ(machine.variables().get(li::loader_boot_secret)->data,
            copy(make_secret(before).bytes()));
  EXPECT_NE(before, after);
  EXPECT_EQ(after.size(), 32u);
}

}  // namespace
}  // namespace keelson
