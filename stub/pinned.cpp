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

struct Reader {
  efi::Volume volume;
  efi::Console& console;
  const efi::Clock& clock;

  Result<Pages> read(const thin_uki::Pin& pin, std::uint64_t max_size) {
    efi::ReadProgress progress(console, clock, pin.path.file_name());
    Pages file = TRY(volume.read_file(pin.path.text(), max_size, &progress));
    const Result<> checked = thin_uki::check(pin, hash_of(file.bytes()));
    if (!checked.has_value())
      return fail(Errc::denied, checked.error().what, efi::status::security_violation);
    return file;
  }
};

Result<Pages> read_or_tell(Reader& reader, const thin_uki::Pin& pin, std::uint64_t max_size,
                           efi::Log& log) {
  auto file = reader.read(pin, max_size);
  if (!file.has_value()) log.tell(Severity::error, pin.path.text(), ": ", file.error());
  return file;
}

}  // namespace

Result<PinnedFiles> read_pinned(const efi::Image& self, const thin_uki::Pins& pins,
                                efi::Console& console, const efi::Clock& clock, efi::Log& log) {
  auto volume = self.volume();
  if (!volume.has_value()) {
    log.tell(Severity::error, "the volume with ", pins.kernel.path.text(),
             " cannot be opened: ", volume.error());
    return fail(volume.error());
  }
  Reader reader{.volume = std::move(*volume), .console = console, .clock = clock};
  PinnedFiles files;
  files.kernel = TRY(read_or_tell(reader, pins.kernel, largest_kernel, log));
  files.initrd = TRY(read_or_tell(reader, pins.initrd, largest_initrd, log));
  return files;
}

}  // namespace keelson::stub
