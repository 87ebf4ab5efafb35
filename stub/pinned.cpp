// SPDX-License-Identifier: MIT
//
// Reads and compares pinned files; see pinned.h.
#include "stub/pinned.h"

#include <algorithm>

#include "efi/firmware/read_progress.h"
#include "efi/firmware/system.h"

namespace keelson::stub {
namespace {

constexpr std::uint64_t largest_kernel = 4_GiB - 1;  // what a PE file can address
constexpr std::uint64_t largest_initrd = 64_GiB;     // memory ends before
constexpr std::size_t hash_chunk = 64_MiB;           // seconds, without instructions for SHA-256

Digest hash_of(Bytes file) {
  Hasher hasher = Hasher::sha256();
  for (; !file.empty(); file = file.subspan(std::min(file.size(), hash_chunk))) {
    efi::rearm_watchdog();
    hasher.update(file.first(std::min(file.size(), hash_chunk)));
  }
  return hasher.finish();
}

Result<Pages> read(efi::Volume& volume, const thin_uki::Pin& pin, std::uint64_t max_size,
                   Screen& screen) {
  screen.subject = pin.path.text();
  efi::ReadProgress progress(screen.console, screen.clock, pin.path.file_name());
  Pages file = TRY(volume.read_file(pin.path.text(), max_size, &progress));
  const Result<> checked = thin_uki::check(pin, hash_of(file.bytes()));
  if (!checked.has_value())
    return fail(Errc::denied, checked.error().what, efi::status::security_violation);
  screen.subject = {};
  return file;
}

}  // namespace

Result<PinnedFiles> read_pinned(const efi::Image& self, const thin_uki::Pins& pins,
                                Screen& screen) {
  screen.subject = pins.kernel.path.text();
  efi::Volume volume = TRY(self.volume());
  PinnedFiles files;
  files.kernel = TRY(read(volume, pins.kernel, largest_kernel, screen));
  files.initrd = TRY(read(volume, pins.initrd, largest_initrd, screen));
  return files;
}

}  // namespace keelson::stub
