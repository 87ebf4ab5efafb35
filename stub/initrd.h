// SPDX-License-Identifier: MIT
//
// Owns the parts that the kernel's initrd is made of: sections of our image, what somebody
// registered before us, archives made here. They are never joined in memory: the kernel fetches
// them part by part (efi/firmware/initrd_media.h). The order is that of stub.md 5.5.
#pragma once

#include <span>

#include "efi/base/diagnostics.h"
#include "efi/base/page_list.h"
#include "efi/base/static_vector.h"
#include "stub/plan.h"

namespace keelson::stub {

class Initrd {
 public:
  std::span<const Bytes> parts() const { return {parts_.begin(), parts_.size()}; }

 private:
  friend Result<Initrd> assemble(const InitrdPlan& plan, Diagnostics& diagnostics);
  static constexpr std::size_t most_parts = 3 + InitrdPlan::most_extra_files;
  Result<> add(Bytes part);
  Result<> add_owned(Pages pages);

  StaticVector<Bytes, most_parts> parts_;
  StaticVector<Pages, most_parts> owned_;
};

// A registered initrd that cannot be fetched is reported and left out (stub.md 5.5). Error:
// out_of_memory.
Result<Initrd> assemble(const InitrdPlan& plan, Diagnostics& diagnostics);

}  // namespace keelson::stub
