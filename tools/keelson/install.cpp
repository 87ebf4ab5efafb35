// SPDX-License-Identifier: MIT
//
// keelson install, update, remove, is-installed: the loader's files on an ESP tree. What to do with
// each file is decided in plan_copy, a function of what is there; nothing is replaced before the
// previous loader has been kept as fall-back.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "efi/format/version_order.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

constexpr const char* our_directory = "EFI/keelson";
constexpr const char* our_product = "keelson-boot";
constexpr const char* other_product = "systemd-boot";  // may be replaced in EFI/BOOT
constexpr const char* loader_conf_text = "#timeout 3\n#console-mode keep\n";
constexpr const char* entries_marker_text = "type1\n";
constexpr std::uint64_t space_to_keep_free = 1_MiB;

struct InstallOptions {
  std::string esp, boot, arch, source;
  bool force = false;
  bool dry_run = false;
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

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

struct Places {
  fs::path loader, fallback, removable;
};
Places places_of(const InstallOptions& options) {
  const fs::path ours = esp_of(options) / our_directory;
  return {ours / ("keelson-boot" + options.arch + ".efi"),
          ours / ("keelson-boot-fallback" + options.arch + ".efi"),
          esp_of(options) / "EFI/BOOT" / ("BOOT" + upper(options.arch) + ".EFI")};
}

// What lies at a path now.
struct Present {
  bool exists = false;
  std::optional<ProductVersion> product;
};
Present look_at(const fs::path& path) {
  if (!fs::exists(fs::symlink_status(path))) return {};
  return {true, product_of(read_file(path))};
}

enum class Verb { install, update };
enum class Copy { write, leave_current, leave_foreign, refuse_downgrade };

// `removable`: the path that any loader may own.
Copy plan_copy(Verb verb, const Present& present, const ProductVersion& ours, bool removable,
               bool force) {
  if (!present.exists || force) return Copy::write;
  const bool is_ours = present.product && present.product->product == ours.product;
  if (!is_ours) {
    const bool replaceable =
        removable && present.product && present.product->product == other_product;
    return replaceable && verb == Verb::install ? Copy::write : Copy::leave_foreign;
  }
  const auto order = compare_versions(present.product->version, ours.version);
  if (order > 0) return Copy::refuse_downgrade;
  return order == 0 && verb == Verb::update ? Copy::leave_current : Copy::write;
}

void check_space(const fs::path& directory, std::uint64_t needed) {
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (!error && space.available < needed + space_to_keep_free)
    throw Failure(directory.string() + ": " + std::to_string(needed) + " bytes and " +
                  std::to_string(space_to_keep_free) + " of reserve are needed, " +
                  std::to_string(space.available) + " are free; remove old entries first");
}

struct Deed {
  const char* done;
  const char* planned;
};
constexpr Deed wrote{"Wrote ", "Would write "};
constexpr Deed made{"Made ", "Would make "};
constexpr Deed removed{"Removed ", "Would remove "};
constexpr Deed kept{"Kept the previous loader as ", "Would keep the previous loader as "};

void say(const InstallOptions& options, const Deed& deed, const std::string& what) {
  note((options.dry_run ? deed.planned : deed.done) + what + ".");
}

// The loader that worked until now stays startable while its successor has not proved itself.
void keep_as_fallback(const InstallOptions& options, const Places& places) {
  const Present present = look_at(places.loader);
  if (!present.product || present.product->product != our_product) return;
  const Buffer old = read_file(places.loader);
  const Present fallback = look_at(places.fallback);
  if (fallback.exists && read_file(places.fallback) == old) return;
  if (!options.dry_run) write_file(places.fallback, old);
  say(options, kept, places.fallback.string());
}

void copy_loader(Verb verb, const InstallOptions& options) {
  const fs::path source = find_program(Program::loader, options.arch, options.source);
  const Buffer image = read_file(source);
  const auto product = product_of(image);
  if (!product || product->product != our_product)
    throw Failure(source.string() + ": carries no marker of " + our_product);
  const Places places = places_of(options);
  const Present present = look_at(places.loader);
  const Copy primary = plan_copy(verb, present, *product, false, options.force);
  const Copy removable =
      plan_copy(verb, look_at(places.removable), *product, true, options.force);
  if (primary == Copy::refuse_downgrade || removable == Copy::refuse_downgrade)
    throw Failure((primary == Copy::refuse_downgrade ? places.loader : places.removable).string() +
                  ": is newer than " + product->version + "; --force installs the older one");
  check_space(esp_of(options), 3 * image.size());

  const bool replaces = primary == Copy::write && present.exists && read_file(places.loader) != image;
  if (replaces) keep_as_fallback(options, places);
  for (const auto& [copy, target] : {std::pair(primary, places.loader),
                                     std::pair(removable, places.removable)}) {
    if (copy == Copy::leave_foreign) {
      warn(target.string() + ": belongs to another boot loader and is kept; start " +
           places.loader.string() + " from the firmware's boot menu, or replace it with --force");
    } else if (copy == Copy::leave_current) {
      note(target.string() + " is current (" + product->version + ").");
    } else {
      if (!options.dry_run) write_file(target, image);
      say(options, wrote, target.string() + " (" + product->product + " " + product->version + ")");
    }
  }
}

void write_if_absent(const InstallOptions& options, const fs::path& path, std::string_view text) {
  if (fs::exists(fs::symlink_status(path))) return;
  if (!options.dry_run) write_new_file(path, bytes_of(text));
  say(options, wrote, path.string());
}

void make(const InstallOptions& options, const fs::path& root, const char* relative) {
  if (!options.dry_run) {
    make_directories(root, relative);
  } else if (!fs::is_directory(root / relative)) {
    say(options, made, (root / relative).string());
  }
}

void install(const InstallOptions& options) {
  const fs::path esp = esp_of(options);
  const fs::path boot = boot_of(options);
  for (const char* directory : {our_directory, "EFI/BOOT", "loader"}) make(options, esp, directory);
  for (const char* directory : {"loader/entries", "EFI/Linux"}) make(options, boot, directory);
  copy_loader(Verb::install, options);
  write_if_absent(options, esp / "loader/loader.conf", loader_conf_text);
  write_if_absent(options, boot / "loader/entries.srel", entries_marker_text);
}

bool is_installed(const InstallOptions& options) {
  return look_at(places_of(options).loader).exists;
}

void update(const InstallOptions& options) {
  if (!is_installed(options)) {
    note("Not installed on " + options.esp + ", nothing to update.");
    return;
  }
  copy_loader(Verb::update, options);
}

void remove_reported(const InstallOptions& options, const fs::path& path) {
  if (!fs::exists(fs::symlink_status(path))) return;
  if (!options.dry_run) remove_file(path);
  say(options, removed, path.string());
}

// Directories only if nothing is left in them.
void remove_empty(const InstallOptions& options, const fs::path& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error) || !fs::is_empty(directory, error) || options.dry_run)
    return;
  if (fs::remove(directory, error)) say(options, removed, directory.string());
}

bool has_our_marker(const fs::path& path) {
  if (!fs::is_regular_file(fs::symlink_status(path))) return false;
  const auto product = product_of(read_file(path));
  return product && product->product == our_product;
}

void remove(const InstallOptions& options) {
  const fs::path esp = esp_of(options);
  const fs::path boot = boot_of(options);
  for (const char* place : {our_directory, "EFI/BOOT"}) {
    if (!fs::is_directory(esp / place)) continue;
    std::vector<fs::path> found;
    for (const auto& item : fs::directory_iterator(esp / place))
      if (has_our_marker(item.path())) found.push_back(item.path());
    std::ranges::sort(found);
    for (const fs::path& path : found) remove_reported(options, path);
  }
  remove_reported(options, esp / "loader/loader.conf");
  remove_reported(options, boot / "loader/entries.srel");
  for (const char* directory : {our_directory, "EFI/BOOT"}) remove_empty(options, esp / directory);
  for (const char* directory : {"EFI/Linux", "EFI", "loader/entries", "loader"})
    remove_empty(options, boot / directory);
  for (const char* directory : {"EFI", "loader"}) remove_empty(options, esp / directory);
}

}  // namespace

void add_install(CLI::App& app) {
  const auto options = std::make_shared<InstallOptions>();
  options->arch = native_arch();
  const auto verb = [&](const char* name, const char* help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("--esp-path", options->esp, "Root of the EFI system partition")
        ->type_name("DIR");
    command->add_option("--boot-path", options->boot, "Root of the XBOOTLDR partition")
        ->type_name("DIR");
    command->add_option("--efi-arch", options->arch, "Architecture of the loader")
        ->type_name("ARCH");
    return command;
  };
  const auto writes = [&](CLI::App* command) {
    command->add_flag("--dry-run", options->dry_run, "Only say what would be done");
    return command;
  };
  const auto copies = [&](CLI::App* command) {
    command->add_option("--source", options->source, "Directory with the loader to install")
        ->type_name("DIR");
    command->add_flag("--force", options->force,
                      "Also replace newer versions and other boot loaders");
    return command;
  };
  copies(writes(verb("install", "Install the loader on an ESP")))->callback([options] {
    install(*options);
  });
  copies(writes(verb("update", "Replace an installed loader by a newer one")))
      ->callback([options] { update(*options); });
  writes(verb("remove", "Remove the loader; entries and kernels stay"))->callback([options] {
    remove(*options);
  });
  verb("is-installed", "Tell whether the loader is installed")->callback([options] {
    const bool installed = is_installed(*options);
    print_text(installed ? "yes\n" : "no\n");
    if (!installed) throw CLI::RuntimeError(1);
  });
}

}  // namespace keelson::tool
