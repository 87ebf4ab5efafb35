// SPDX-License-Identifier: MIT
//
// Finds or makes what the boot secret is derived of; see boot_secret.h.
#include "stub/boot_secret.h"

#include "efi/firmware/seed_table.h"
#include "efi/format/cpio.h"
#include "efi/format/random_seed.h"

namespace keelson::stub {
namespace {

namespace li = loader_interface;

// What the variable has, or a new one that the variable has from now on. One that the OS could have
// read is not taken.
Result<Secret> read_or_make_variable(const efi::Variables& variables, MutableBytes seed) {
  Secret secret;
  const auto value = variables.get(li::loader_boot_secret, secret.mutable_bytes());
  if (value.has_value()) {
    constexpr std::uint32_t access = li::persistent_attributes;
    if (value->data.size() != Secret::size ||
        (value->attributes & access) != li::loader_boot_secret.attributes)
      return fail(Errc::malformed, "LoaderBootSecret has a wrong size or is open to others",
                  value->attributes);
    return secret;
  }
  if (value.error().code != Errc::not_found) return fail(value.error());
  secret = make_secret(seed);
  evolve_seed(seed);
  TRY(variables.set(li::loader_boot_secret, secret.bytes()));
  return secret;
}

// The file is made by the tool: firmware code neither makes nor fills files (R15).
Result<Secret> read_mixin(const efi::Image& self) {
  efi::Volume own = TRY(self.volume());
  efi::File file = TRY(own.open_file(boot_secret_mixin_path));
  const efi::FileInfo info = TRY(file.info());
  if (info.is_directory() || info.size < Secret::size)
    return fail(Errc::malformed, "boot-secret-mixin is too short", info.size);
  Secret mixin;
  TRY(file.read_at(0, mixin.mutable_bytes()));
  return mixin;
}

Result<Secret> find_secret(const efi::Image& self, Bytes os_release) {
  const MutableBytes seed = efi::seed_table();
  if (seed.empty()) return fail(Errc::not_found, "no random seed was passed on");
  if (seed.size() < Secret::size)
    return fail(Errc::malformed, "the random seed is too short", seed.size());
  const Secret mixin = TRY(read_mixin(self));
  const Secret variable = TRY(read_or_make_variable(self.variables(), seed));
  Secret secret = derive_secret(
      {.variable = variable.bytes(), .mixin = mixin.bytes(), .id = boot_secret_id(os_release)});
  if (secret.is_zero()) return fail(Errc::malformed, "a secret of zeros");
  return secret;
}

}  // namespace

std::optional<Secret> boot_secret(const efi::Image& self, Bytes os_release,
                                  Diagnostics& diagnostics) {
  Result<Secret> found = find_secret(self, os_release);
  if (found.has_value()) return std::move(*found);
  if (found.error().code != Errc::not_found)
    diagnostics.info("the system gets no boot secret: ", found.error());
  return std::nullopt;
}

void archive_boot_secret(const efi::Image& self, Bytes os_release, efi::SecretPages& archive,
                         Diagnostics& diagnostics) {
  const auto secret = boot_secret(self, os_release, diagnostics);
  if (!secret) return;
  const Result<> archived = [&]() -> Result<> {
    return archive.hold(
        TRY(cpio::write_archive({.directory = ".extra", .file_mode = 0400},
                                cpio::File{.name = "boot-secret", .content = secret->bytes()})));
  }();
  if (!archived.has_value()) diagnostics.warn("the system gets no boot secret: ", archived.error());
}

}  // namespace keelson::stub
