// SPDX-License-Identifier: MIT
//
// Loads add-ons; see addons.h.
#include "stub/addons.h"

#include "efi/firmware/read_progress.h"
#include "efi/firmware/system.h"
#include "efi/format/command_line.h"
#include "efi/format/device_path.h"
#include "stub/addon_parts.h"
#include "stub/companion_layout.h"

namespace keelson::stub {
namespace {

// Where the add-on comes from, for the firmware's policy and event log.
Result<Bytes> device_path_of_file(efi::Handle device, std::u16string_view path, TextArena& texts) {
  const Bytes volume = TRY(efi::device_path_of(device));
  const MutableBytes room = TRY(
      texts.reserve(volume.size() + device_path::file_path_size(path) + device_path::end_size, 8));
  Writer writer(room);
  TRY(device_path::append_file_on(writer, volume, path));
  TRY(writer.done());
  return Bytes(room);
}

bool is_for_another_machine(Bytes file) {
  const auto image = pe::Image::parse(file, pe::Layout::file);
  return !image.has_value() && image.error().code == Errc::unsupported;
}

}  // namespace

const Hardware& AddonLoader::hardware() {
  if (!hardware_) hardware_ = observe_hardware(target_.smbios);
  return *hardware_;
}

Result<std::optional<Addon>> AddonLoader::load_one(std::u16string_view path,
                                                   std::u16string_view name, TextArena& texts) {
  efi::ReadProgress progress(screen_.console, screen_.clock, name);
  Pages file = TRY(volume_.read_file(path, largest_companion, &progress));
  const Bytes device_path = TRY(device_path_of_file(volume_.device(), path, texts));
  efi::rearm_watchdog();  // the firmware hashes large images for seconds
  auto loaded = efi::LoadedImage::load(
      target_.self,
      {.device_path = device_path, .source = file.bytes(), .secure_boot = target_.secure_boot});
  if (!loaded.has_value() && is_for_another_machine(file.bytes())) {
    screen_.log.info("not using ", path, ": it is made for another machine");
    return std::nullopt;
  }
  const efi::LoadedImage image = TRY(std::move(loaded));
  file.release();  // the firmware has its own copy, and that is the one it has verified

  const auto uki = TRY(uki::Uki::parse(image.bytes(), pe::Layout::loaded));
  uki::Effective sections = uki.effective_alone(uki.whole());  // add-ons have no profiles
  if (has_candidates(uki))
    select_candidates(uki, uki.whole(), {}, hardware(), screen_.log, sections);
  const auto parts = choose_addon_parts({uki, sections}, target_.image_uname);
  if (!parts.has_value()) {
    say_why_not(path, parts.error());
    return std::nullopt;
  }
  return Addon{.name = name,
               .command_line = TRY(normalise_utf8(parts->command_line, texts)),
               .device_tree = TRY(Pages::copy_of(parts->device_tree)),
               .initrd = TRY(Pages::copy_of(parts->initrd)),
               .ucode = TRY(Pages::copy_of(parts->ucode))};
}

// One for another kernel or another machine is nothing out of the ordinary, and not worth the
// screen; a broken one is.
void AddonLoader::say_why_not(std::u16string_view path, const Error& error) {
  if (error.code == Errc::denied || error.code == Errc::not_found)
    screen_.log.info("not using ", path, ": ", error);
  else
    screen_.log.tell(Severity::warning, "skipping ", path, ": ", error);
}

Result<> AddonLoader::load(const CompanionDirectory& directory, Gathered& gathered) {
  for (const CompanionFile& file : directory.files) {
    if (file.kind != CompanionKind::addon) continue;
    const auto path = TRY(path_of(directory, file.name, gathered.texts));
    const auto name = TRY(gathered.texts.keep(file.name));
    auto addon = load_one(path, name, gathered.texts);
    if (!addon.has_value())
      screen_.log.tell(Severity::warning, "skipping ", path, ": ", addon.error());
    else if (*addon)
      TRY(gathered.addons.push(std::move(**addon)));
  }
  return {};
}

}  // namespace keelson::stub
