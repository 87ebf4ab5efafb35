// SPDX-License-Identifier: MIT
//
// Collects the parts of the initrd; see initrd.h.
#include "stub/initrd.h"

#include "efi/firmware/initrd_media.h"

namespace keelson::stub {
namespace {

// Bounds what a size that somebody else names can make us allocate.
constexpr std::uint64_t max_registered_initrd = 4_GiB;

}  // namespace

Result<> Initrd::add(Bytes part) {
  if (!part.empty()) TRY(parts_.push(part));
  return {};
}

Result<> Initrd::add_owned(Pages pages) {
  TRY(add(pages.bytes()));  // the bytes stay where they are when their owner moves
  return owned_.push(std::move(pages));
}

Result<Initrd> assemble(const InitrdPlan& plan, Diagnostics& diagnostics) {
  Initrd initrd;
  TRY(initrd.add(plan.ucode));
  auto registered = efi::fetch_registered_initrd(max_registered_initrd);
  if (!registered.has_value())
    diagnostics.warn("the initrd that was registered before is left out: ", registered.error());
  else if (*registered)
    TRY(initrd.add_owned(std::move(**registered)));
  TRY(initrd.add(plan.initrd));
  for (const cpio::File& file : plan.extra_files)
    TRY(initrd.add_owned(TRY(cpio::write_archive(plan.extra_layout, file))));
  return initrd;
}

}  // namespace keelson::stub
