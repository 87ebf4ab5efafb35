// SPDX-License-Identifier: MIT
//
// Collects what lies beside the image; see gather.h.
#include "stub/gather.h"

#include "efi/firmware/initrd_media.h"

namespace keelson::stub {
namespace {

// Bounds what a size that somebody else names can make us allocate.
constexpr std::uint64_t max_registered_initrd = 4_GiB;

Pages fetch_registered_initrd(Diagnostics& diagnostics) {
  auto registered = efi::fetch_registered_initrd(max_registered_initrd);
  if (!registered.has_value()) {
    diagnostics.warn("the initrd that was registered before is left out: ", registered.error());
    return {};
  }
  return *registered ? std::move(**registered) : Pages();
}

}  // namespace

Result<Gathered> gather(const efi::Image&, const Facts&, Diagnostics& diagnostics) {
  Gathered gathered;
  gathered.registered_initrd = fetch_registered_initrd(diagnostics);
  return gathered;
}

}  // namespace keelson::stub
