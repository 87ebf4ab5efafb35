// SPDX-License-Identifier: MIT
//
// Collects what lies beside the image; see gather.h.
#include "stub/gather.h"

#include "efi/firmware/initrd_media.h"
#include "stub/addons.h"
#include "stub/companions.h"

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

// A directory and what is looked for in it. Global ones belong to all images of the volume.
constexpr CompanionKind addon_files[] = {CompanionKind::addon};
constexpr CompanionKind credential_files[] = {CompanionKind::credential};
constexpr CompanionKind extension_files[] = {CompanionKind::system_extension,
                                             CompanionKind::configuration_extension};
constexpr CompanionKind all_files[] = {CompanionKind::addon, CompanionKind::credential,
                                       CompanionKind::system_extension,
                                       CompanionKind::configuration_extension};

class Directories {
 public:
  Directories(efi::Volume& volume, Screen& screen) : volume_(volume), screen_(screen) {}
  Result<CompanionDirectory> list(std::u16string_view path, std::span<const CompanionKind> kinds) {
    return list_companions(volume_, path, kinds, texts_, screen_.log);
  }
  // That of one image; none if the starter has not said where the image lies.
  Result<CompanionDirectory> list_own(std::u16string_view image_path) {
    if (image_path.empty()) return CompanionDirectory();
    return list(TRY(companion_directory(image_path, texts_)), all_files);
  }

 private:
  efi::Volume& volume_;
  Screen& screen_;
  TextArena texts_;
};

Result<> gather_from(efi::Volume& volume, const AddonTarget& target, const Facts& facts,
                     Screen& screen, Gathered& gathered) {
  Directories directories(volume, screen);
  const CompanionDirectory addons = TRY(directories.list(global_addons, addon_files));
  const CompanionDirectories companions = {
      .own = TRY(directories.list_own(facts.image_path)),
      .credentials = TRY(directories.list(global_credentials, credential_files)),
      .extensions = TRY(directories.list(global_extensions, extension_files))};
  AddonLoader loader(volume, target, screen);
  TRY(loader.load(addons, gathered));
  TRY(loader.load(companions.own, gathered));
  gathered.archives = TRY(read_archives(volume, companions, screen));
  return {};
}

// Network boot, or a loader that does not say where the image came from.
bool is_without_volume(const Error& error) {
  return error.code == Errc::not_found || error.code == Errc::unsupported;
}

}  // namespace

Result<Gathered> gather(const efi::Image& self, const Facts& facts, const ImagePlan& image,
                        Screen& screen) {
  Gathered gathered;
  gathered.registered_initrd = fetch_registered_initrd(screen.log);
  auto volume = self.volume();
  if (!volume.has_value()) {
    if (!is_without_volume(volume.error()))
      screen.log.tell(Severity::warning, "nothing beside the image is used: ", volume.error());
    return gathered;
  }
  const AddonTarget target = {.self = self,
                              .secure_boot = facts.secure_boot,
                              .image_uname = TRY(content(image.contents, UkiSection::uname)),
                              .smbios = facts.smbios};
  TRY(gather_from(*volume, target, facts, screen, gathered));
  return gathered;
}

}  // namespace keelson::stub
