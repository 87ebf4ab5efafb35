// SPDX-License-Identifier: MIT
//
// Owns what is computed from secrets of the machine: the random seed for the kernel and the one for
// the next boot (stub.md 8.3), and the boot secret (8.4). Labels, order and encoding of lengths are
// systemd's, so that both can take turns. Says when a seed must not be handed on. Reading, writing
// and installing are efi/firmware's and the stub's.
#pragma once

#include <optional>
#include <string_view>

#include "efi/base/secret.h"

namespace keelson {

// On the ESP; the mixin also on the volume that a UKI is started from.
inline constexpr std::u16string_view random_seed_path = u"\\loader\\random-seed";
inline constexpr std::u16string_view boot_secret_mixin_path = u"\\loader\\boot-secret-mixin";

// What a seed is mixed of. An empty view, or no count: it is not there.
struct SeedSources {
  static constexpr std::uint64_t max_file_size = 32_KiB;

  Bytes earlier_table = {};  // the seed that an earlier program has installed
  Bytes firmware = {};       // 32 random bytes of the firmware
  Bytes token = {};          // LoaderSystemToken
  Bytes file = {};           // \loader\random-seed of the ESP
  std::optional<std::uint64_t> monotonic_count = {};
  Bytes time = {};  // EFI_TIME
};

// Whether a seed made of `sources` may be credited by the kernel. The file is needed in any case:
// it is replaced first, and firmware code never makes files. Without random bytes of the firmware
// (or an earlier program that had them) the disk alone must answer for it: then not with Secure
// Boot on, whose point is that the disk is not trusted, and only with token and count, without
// which two machines with a copied disk would get the same seed. Error: denied, with the reason.
Result<> check_seed_sources(const SeedSources& sources, bool secure_boot);

struct Seeds {
  Secret file;    // the new content of the file's first bytes
  Secret kernel;  // for the table
};
Seeds mix_seeds(const SeedSources& sources);

// ---- The boot secret ----

// A new secret out of `seed`, that of the table as it is.
Secret make_secret(Bytes seed);
// Replaces the first bytes of `seed`, of which a secret was made, so that nobody can make the same.
// Nothing happens to one of fewer than 32 bytes.
void evolve_seed(MutableBytes seed);

struct SecretSources {
  Bytes variable;       // LoaderBootSecret, 32 bytes
  Bytes mixin;          // of \loader\boot-secret-mixin: its first 32 bytes
  std::string_view id;  // of the system (boot_secret_id)
};
Secret derive_secret(const SecretSources& sources);
// IMAGE_ID or ID of an os-release text, else "linux".
std::string_view boot_secret_id(Bytes os_release);

}  // namespace keelson
