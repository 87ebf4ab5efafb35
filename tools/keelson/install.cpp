// SPDX-License-Identifier: MIT
//
// keelson install, update, remove, is-installed: the loader's files on an ESP tree. What to do with
// each file is decided in plan_copy, a function of what is there; nothing is replaced before the
// previous loader has been kept as fall-back.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "efi/format/authenticode.h"
#include "efi/format/random_seed.h"
#include "efi/format/version_order.h"
#include "tools/keelson/deeds.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/loader_places.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/random_seed.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

constexpr const char* our_product = "keelson-boot";
constexpr const char* replaceable_product = "systemd-boot";  // in EFI/BOOT
constexpr const char* other_directory = "EFI/systemd";       // reads loader.conf too
constexpr const char* loader_conf = "loader/loader.conf";
constexpr const char* loader_conf_text = "#timeout 3\n#console-mode keep\n";
constexpr const char* entries_marker = "loader/entries.srel";
constexpr const char* entries_marker_text = "type1\n";
constexpr std::uint64_t space_to_keep_free = 1_MiB;

struct InstallOptions {
  std::string esp, boot, arch, source;
  std::optional<bool> random_seed;  // unset: if the ESP is mounted
  bool force = false;
  bool dry_run = false;
  JsonForm json = JsonForm::off;
};

fs::path esp_of(const InstallOptions& options) {
  if (options.esp.empty())
    throw Failure("no ESP is given; use --esp-path=DIRECTORY, such as /efi or /boot");
  if (!fs::is_directory(options.esp))
    throw Failure(options.esp + ": not a directory; --esp-path= names the root of an ESP");
  return options.esp;
}

// XBOOTLDR if there is one, else the ESP: where entries go.
fs::path boot_of(const InstallOptions& options) {
  if (options.boot.empty()) return esp_of(options);
  if (!fs::is_directory(options.boot)) throw Failure(options.boot + ": not a directory");
  return options.boot;
}

LoaderPlaces places_of(const InstallOptions& options) {
  return loader_places(esp_of(options), options.arch);
}

// A loader, on an ESP or about to go there.
struct Loader {
  Buffer image;
  std::optional<ProductVersion> product;
  bool is_signed = false;

  bool is(std::string_view name) const { return product && product->product == name; }
};
Loader read_loader(const fs::path& path) {
  Loader loader{.image = read_file(path), .product = {}};
  loader.product = product_of(loader.image);
  const auto signatures = authenticode::certificate_table(loader.image);
  loader.is_signed = signatures.has_value() && !signatures->empty();
  return loader;
}
std::optional<Loader> read_if_there(const fs::path& path) {
  return is_there(path) ? std::optional(read_loader(path)) : std::nullopt;
}

enum class Verb { install, update };
enum class Copy { write, leave_current, leave_foreign, leave_newer, refuse_downgrade };

// What becomes of the file at one of our paths (design.md, decision 19). `removable`: the path that
// any loader may own; what lies at the other one is ours, whole or damaged.
Copy plan_copy(Verb verb, const std::optional<Loader>& present, const Loader& ours, bool removable,
               bool force) {
  if (!present) return Copy::write;
  if (present->image == ours.image) return Copy::leave_current;
  if (force) return Copy::write;
  if (!present->is(our_product))
    return removable && !present->is(replaceable_product) ? Copy::leave_foreign : Copy::write;
  const auto order = compare_versions(present->product->version, ours.product->version);
  if (order > 0) return verb == Verb::install ? Copy::refuse_downgrade : Copy::leave_newer;
  // The same version again, unless this is what Secure Boot waits for.
  const bool same = order == 0 && (present->is_signed || !ours.is_signed);
  return same && verb == Verb::update ? Copy::leave_current : Copy::write;
}

void check_space(const fs::path& directory, std::uint64_t needed) {
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (!error && space.available < needed + space_to_keep_free)
    throw Failure(directory.string() + ": " + std::to_string(needed) + " bytes and " +
                  std::to_string(space_to_keep_free) + " of reserve are needed, " +
                  std::to_string(space.available) + " are free; remove old entries first");
}

void write_loader(Deeds& deeds, Deed deed, const fs::path& path, const Loader& loader) {
  deeds.perform(
      deed, path, [&] { write_file(path, loader.image); },
      loader.product->product + " " + loader.product->version);
}

void put_in_place(Deeds& deeds, Copy copy, const fs::path& path, const Loader& ours,
                  const LoaderPlaces& places) {
  const std::string version = ours.product->version;
  switch (copy) {
    case Copy::write:
      write_loader(deeds, Deed::write, path, ours);
      return;
    case Copy::leave_current:
      deeds.report(Deed::leave_current, path, version);
      return;
    case Copy::leave_newer:
      deeds.report(Deed::leave_newer, path, "than " + version);
      return;
    case Copy::leave_foreign:
      warn(path.string() + ": belongs to another boot loader and is kept; start " +
           places.loader.string() + " from the firmware's boot menu, or replace it with --force");
      deeds.report(Deed::leave_foreign, path);
      return;
    case Copy::refuse_downgrade:
      throw Failure(path.string() + ": is newer than " + version +
                    "; --force installs the older one");
  }
}

void copy_loader(Verb verb, const InstallOptions& options, Deeds& deeds) {
  const fs::path source = find_program(Program::loader, options.arch, options.source);
  const Loader ours = read_loader(source);
  if (!ours.is(our_product))
    throw Failure(source.string() + ": carries no marker of " + our_product);
  const LoaderPlaces places = places_of(options);
  const std::optional<Loader> present = read_if_there(places.loader);
  const Copy primary = plan_copy(verb, present, ours, false, options.force);
  const Copy removable =
      plan_copy(verb, read_if_there(places.removable), ours, true, options.force);
  // Before anything is written.
  for (const auto& [copy, path] :
       {std::pair(primary, places.loader), std::pair(removable, places.removable)})
    if (copy == Copy::refuse_downgrade) put_in_place(deeds, copy, path, ours, places);
  if (primary == Copy::write || removable == Copy::write)
    check_space(esp_of(options), 3 * ours.image.size());

  for (const char* directory : {our_directory, removable_directory})
    make_directories(deeds, esp_of(options), directory);
  // The loader that worked until now stays startable while its successor has not proved itself.
  if (primary == Copy::write && present && present->is(our_product)) {
    const auto fallback = read_if_there(places.fallback);
    if (!fallback || fallback->image != present->image)
      write_loader(deeds, Deed::keep_as_fallback, places.fallback, *present);
  }
  put_in_place(deeds, primary, places.loader, ours, places);
  put_in_place(deeds, removable, places.removable, ours, places);
}

void write_if_absent(Deeds& deeds, const fs::path& root, const char* relative,
                     std::string_view text) {
  const fs::path path = find_ignoring_case(root, relative);
  if (!is_there(path)) deeds.perform(Deed::write, path, [&] { write_file(path, bytes_of(text)); });
}

void install(const InstallOptions& options) {
  const fs::path esp = esp_of(options);
  const fs::path boot = boot_of(options);
  Deeds deeds(options.dry_run, options.json);
  make_directories(deeds, esp, "loader");
  for (const char* directory : {"loader/entries", "EFI/Linux"})
    make_directories(deeds, boot, directory);
  copy_loader(Verb::install, options, deeds);
  write_if_absent(deeds, esp, loader_conf, loader_conf_text);
  write_if_absent(deeds, boot, entries_marker, entries_marker_text);
  if (options.random_seed.value_or(is_mounted(esp))) {
    refresh_random_seed(deeds, esp);
    make_boot_secret_mixin(deeds, esp);
    if (boot != esp) make_boot_secret_mixin(deeds, boot);
  }
  deeds.print();
}

bool is_installed(const InstallOptions& options) {
  const auto loader = read_if_there(places_of(options).loader);
  return loader && loader->is(our_product);
}

void update(const InstallOptions& options) {
  Deeds deeds(options.dry_run, options.json);
  if (is_there(places_of(options).loader)) {
    copy_loader(Verb::update, options, deeds);
  } else {
    note("Not installed on " + options.esp + ", nothing to update.");
  }
  deeds.print();
}

void remove_if_there(Deeds& deeds, const fs::path& path) {
  if (is_there(path)) deeds.perform(Deed::remove, path, [&] { remove_file(path); });
}

void remove_loaders(Deeds& deeds, const fs::path& directory) {
  if (!fs::is_directory(directory)) return;
  std::vector<fs::path> found;
  for (const auto& item : fs::directory_iterator(directory))
    if (fs::is_regular_file(item.symlink_status()) && read_loader(item.path()).is(our_product))
      found.push_back(item.path());
  std::ranges::sort(found);
  for (const fs::path& path : found) remove_if_there(deeds, path);
}

void remove_if_empty(Deeds& deeds, const fs::path& root, const char* relative) {
  const fs::path directory = find_ignoring_case(root, relative);
  std::error_code error;
  // In a dry run it still holds what would go, so nothing is said about it.
  if (!fs::is_directory(directory, error) || !fs::is_empty(directory, error)) return;
  deeds.perform(Deed::remove, directory, [&] { fs::remove(directory); });
}

void remove(const InstallOptions& options) {
  const fs::path esp = esp_of(options);
  const fs::path boot = boot_of(options);
  Deeds deeds(options.dry_run, options.json);
  for (const char* directory : {our_directory, removable_directory})
    remove_loaders(deeds, find_ignoring_case(esp, directory));
  // Settings of a loader that stays are its own.
  if (!is_there(find_ignoring_case(esp, other_directory))) {
    remove_if_there(deeds, find_ignoring_case(esp, loader_conf));
    remove_if_there(deeds, find_ignoring_case(boot, entries_marker));
    remove_if_there(deeds, find_on_volume(esp, random_seed_path));
  }
  for (const char* directory : {our_directory, removable_directory})
    remove_if_empty(deeds, esp, directory);
  for (const char* directory : {"EFI/Linux", "EFI", "loader/entries", "loader"})
    remove_if_empty(deeds, boot, directory);
  for (const char* directory : {"EFI", "loader"}) remove_if_empty(deeds, esp, directory);
  deeds.print();
}

void print_whether_installed(const InstallOptions& options) {
  const bool installed = is_installed(options);
  if (options.json != JsonForm::off) {
    print_json(Json{{"installed", installed}}, options.json);
  } else {
    print_text(installed ? "yes\n" : "no\n");
  }
  if (!installed) throw CLI::RuntimeError(1);
}

}  // namespace

void add_install(CLI::App& app) {
  const auto options = std::make_shared<InstallOptions>();
  options->arch = native_arch();
  const auto add = [&](const char* name, const char* help, void (*action)(const InstallOptions&)) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("--esp-path", options->esp, "Root of the EFI system partition")
        ->type_name("DIR");
    add_json_option(*command, options->json);
    command->callback([options, action] { action(*options); });
    return command;
  };
  const auto writes = [&](CLI::App* command) {
    command->add_option("--boot-path", options->boot, "Root of the XBOOTLDR partition")
        ->type_name("DIR");
    command->add_flag("--dry-run", options->dry_run, "Only say what would be done");
    return command;
  };
  const auto copies = [&](CLI::App* command) {
    command->add_option("--source", options->source, "Directory with the loader to install")
        ->type_name("DIR");
    command->add_flag("--force", options->force,
                      "Also replace newer versions and other boot loaders");
    add_arch_option(*command, options->arch, "Architecture of the loader");
  };
  CLI::App* install_command = writes(add("install", "Install the loader on an ESP", install));
  copies(install_command);
  install_command
      ->add_option("--random-seed", options->random_seed,
                   "Whether to make seed files, too (default: if the ESP is mounted here)")
      ->type_name("BOOL");
  copies(writes(add("update", "Replace an installed loader by a newer one", update)));
  writes(add("remove", "Remove the loader; entries and kernels stay", remove));
  add_arch_option(
      *add("is-installed", "Tell whether the loader is installed", print_whether_installed),
      options->arch, "Architecture of the loader");
}

}  // namespace keelson::tool
