// SPDX-License-Identifier: MIT
//
// Owns loading add-ons (stub.md 4): read once, verified by the firmware or shim as any image, never
// started; what is used of them is copied, then they are unloaded. Which parts count is
// addon_parts.h's.
#pragma once

#include "efi/firmware/image.h"
#include "stub/companion_files.h"
#include "stub/gathered.h"
#include "stub/hardware.h"
#include "stub/screen.h"

namespace keelson::stub {

// What add-ons are matched with.
struct AddonTarget {
  const efi::Image& self;
  bool secure_boot = true;
  Bytes image_uname;            // our own `.uname`; empty: none
  const smbios::Table& smbios;  // empty where the host must not be believed
};

class AddonLoader {
 public:
  AddonLoader(efi::Volume& volume, const AddonTarget& target, Screen& screen)
      : volume_(volume), target_(target), screen_(screen) {}
  // Appends the add-ons among the files of `directory` to `gathered`. One that is refused, or of no
  // use, is left out with a message. Error: out_of_memory.
  Result<> load(const CompanionDirectory& directory, Gathered& gathered);

 private:
  // nullopt: nothing of it is used, and it was said why.
  Result<std::optional<Addon>> load_one(std::u16string_view path, std::u16string_view name,
                                        TextArena& texts);
  const Hardware& hardware();
  void say_why_not(std::u16string_view path, const Error& error);

  efi::Volume& volume_;
  const AddonTarget& target_;
  Screen& screen_;
  std::optional<Hardware> hardware_;  // looked at when the first add-on has something to select
};

}  // namespace keelson::stub
