// SPDX-License-Identifier: MIT
//
// Mixing seeds, deriving the boot secret (random_seed.h).
#include "efi/format/random_seed.h"

#include "efi/base/digest.h"
#include "efi/base/wire.h"
#include "efi/format/os_release.h"

namespace keelson {
namespace {

// A hash whose state and result nobody finds on the stack afterwards.
class SecretHasher {
 public:
  explicit SecretHasher(std::string_view label) { hasher_.update(bytes_of(label)); }
  explicit SecretHasher(const Secret& key) { hasher_.update(key.bytes()); }
  SecretHasher(const SecretHasher&) = delete;
  SecretHasher& operator=(const SecretHasher&) = delete;
  ~SecretHasher() { wipe(std::as_writable_bytes(std::span(&hasher_, 1))); }

  SecretHasher& add(Bytes bytes) {
    hasher_.update(bytes);
    return *this;
  }
  // Length, in the width of the machine's words, and content.
  SecretHasher& add_sized(Bytes bytes) {
    return add(bytes_of_struct(Le<std::uint64_t>(bytes.size()))).add(bytes);
  }
  // The same with the length of the seed table.
  SecretHasher& add_seed(Bytes seed) {
    return add(bytes_of_struct(Le(static_cast<std::uint32_t>(seed.size())))).add(seed);
  }
  Secret finish() {
    Digest digest = hasher_.finish();
    Secret secret;
    __builtin_memcpy(secret.mutable_bytes().data(), digest.bytes().data(), Secret::size);
    wipe(digest.mutable_bytes());
    return secret;
  }

 private:
  Hasher hasher_ = Hasher::sha256();
};
static_assert(std::is_trivially_copyable_v<Hasher>);

Secret derive_from(const Secret& key, std::uint8_t use) {
  const std::byte byte{use};
  return SecretHasher(key).add(Bytes(&byte, 1)).finish();
}

}  // namespace

Result<> check_seed_sources(const SeedSources& sources, bool secure_boot) {
  if (sources.file.size() < Secret::size)
    return fail(Errc::denied, "the seed file is shorter than a seed", sources.file.size());
  if (sources.earlier_table.size() >= Secret::size || !sources.firmware.empty()) return {};
  if (secure_boot)
    return fail(Errc::denied, "no random numbers but the disk's, which Secure Boot does not trust");
  if (sources.token.size() < Secret::size)
    return fail(Errc::denied, "no random numbers but the disk's, and no LoaderSystemToken",
                sources.token.size());
  if (!sources.monotonic_count)
    return fail(Errc::denied, "no random numbers but the disk's, and no monotonic count");
  return {};
}

Seeds mix_seeds(const SeedSources& sources) {
  Le<std::uint64_t> count;
  Bytes count_bytes;
  if (sources.monotonic_count) {
    count = *sources.monotonic_count;
    count_bytes = bytes_of_struct(count);
  }
  const Secret key = SecretHasher("systemd-boot random seed label v1")
                         .add_sized(sources.earlier_table)
                         .add_sized(sources.firmware)
                         .add_sized(sources.token)
                         .add_sized(sources.file)
                         .add_sized(count_bytes)
                         .add_sized(sources.time)
                         .finish();
  return {.file = derive_from(key, 0), .kernel = derive_from(key, 1)};
}

Secret make_secret(Bytes seed) {
  return SecretHasher("systemd-stub random seed make secret label v1").add_seed(seed).finish();
}

void evolve_seed(MutableBytes seed) {
  if (seed.size() < Secret::size) return;
  const Secret evolved =
      SecretHasher("systemd-stub random seed evolve label v1").add_seed(seed).finish();
  __builtin_memcpy(seed.data(), evolved.bytes().data(), Secret::size);
}

Secret derive_secret(const SecretSources& sources) {
  return SecretHasher("systemd-stub derive secret label v1")
      .add(sources.variable)
      .add(sources.mixin)
      .add_sized(bytes_of(sources.id))
      .finish();
}

std::string_view boot_secret_id(Bytes os_release) {
  if (os_release.size() > max_os_release_size) return "linux";
  const std::string_view id = parse_os_release(os_release).sort_key();
  return id.empty() ? "linux" : id;
}

}  // namespace keelson
