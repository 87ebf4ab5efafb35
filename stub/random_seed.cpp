// SPDX-License-Identifier: MIT
//
// Hands a seed to the kernel; see random_seed.h.
#include "stub/random_seed.h"

#include "efi/firmware/partition.h"
#include "efi/firmware/random.h"
#include "efi/firmware/secret_pages.h"
#include "efi/firmware/seed_table.h"
#include "efi/format/random_seed.h"

namespace keelson::stub {
namespace {

namespace li = loader_interface;

// What is longer is no token, but it is no reason to do without the rest.
constexpr std::size_t longest_token = 1024;

bool did_loader_pass_seed(const efi::Variables& variables) {
  std::array<std::byte, 8> room;
  const auto value = variables.get_report(li::loader_features, MutableBytes(room));
  if (!value.has_value()) return false;
  const auto features = li::decode_u64(value->data);
  return features.has_value() && (*features & li::loader_feature::random_seed) != 0;
}

// Bytes that are read somewhere and wiped in the end.
template <std::size_t Size>
struct Wiped {
  std::array<std::byte, Size> bytes{};
  ~Wiped() { wipe(bytes); }
};

// The file first, then the table: a seed whose file could not be replaced would come again.
Result<> pass_seed(const efi::Image& self, bool secure_boot, efi::WriteGate& gate) {
  if (self.device() == nullptr) return fail(Errc::not_found, "started from no device");
  efi::Volume esp = TRY(efi::open_esp(self.device()));
  efi::SecretPages file;
  TRY(file.hold(TRY(esp.read_file(random_seed_path, SeedSources::max_file_size))));

  SeedSources sources{.earlier_table = efi::seed_table(), .file = file.bytes()};
  Wiped<Secret::size> random;
  if (efi::fill_random(random.bytes).has_value()) sources.firmware = random.bytes;
  Wiped<longest_token> token;
  const auto token_value = self.variables().get(li::loader_system_token, MutableBytes(token.bytes));
  if (token_value.has_value()) sources.token = token_value->data;
  if (const auto count = efi::next_monotonic_count(); count.has_value())
    sources.monotonic_count = *count;
  const auto time = efi::raw_time();
  if (time.has_value()) sources.time = *time;

  TRY(check_seed_sources(sources, secure_boot));
  const Seeds seeds = mix_seeds(sources);
  const MutableBytes content = file.mutable_bytes();
  wipe(content);
  __builtin_memcpy(content.data(), seeds.file.bytes().data(), Secret::size);
  TRY(esp.overwrite(gate, random_seed_path, content));
  return efi::install_seed_table(seeds.kernel.bytes());
}

}  // namespace

void pass_random_seed(const efi::Image& self, bool secure_boot, efi::WriteGate& gate,
                      Diagnostics& diagnostics) {
  if (did_loader_pass_seed(self.variables())) return;
  const bool gate_was_open = gate.is_open();
  const Result<> passed = pass_seed(self, secure_boot, gate);
  if (passed.has_value()) return;
  const bool write_failed = gate_was_open && !gate.is_open();
  if (passed.error().code == Errc::not_found && !write_failed) return;  // nobody has made one
  diagnostics.report(write_failed ? Severity::warning : Severity::info,
                     "the kernel gets no random seed: ", passed.error());
}

}  // namespace keelson::stub
