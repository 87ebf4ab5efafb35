// SPDX-License-Identifier: MIT
//
// keelson random-seed, and what install does of it.
#include "tools/keelson/random_seed.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "efi/base/digest.h"
#include "efi/format/loader_interface.h"
#include "efi/format/random_seed.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

constexpr const char* variables_directory = "/sys/firmware/efi/efivars";

Secret random_secret() {
  Secret secret;
  const MutableBytes bytes = secret.mutable_bytes();
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Failure("no random bytes from the kernel for the seed");
  return secret;
}

void add_with_size(Hasher& hasher, Bytes bytes) {
  const Le<std::uint64_t> size = bytes.size();
  hasher.update(bytes_of_struct(size)).update(bytes);
}

// A seed that is there cannot be made worse by a bad source of random bytes.
Digest new_seed(Bytes old_seed) {
  Hasher hasher = Hasher::sha256();
  add_with_size(hasher, random_secret().bytes());
  add_with_size(hasher, old_seed);
  return hasher.finish();
}

void warn_if_open_to_all(const fs::path& path, const std::string& what) {
  struct stat state{};
  if (::stat(path.c_str(), &state) == 0 && (state.st_mode & 0007) != 0)
    warn(path.string() + ": " + what + " can be read by every user; mount with umask=0077");
}

// ---- LoaderSystemToken ----

using Attributes = Le<std::uint32_t>;  // what a file of efivarfs begins with

fs::path file_of(const loader_interface::Name& variable) {
  const auto vendor = to_text(variable.vendor);
  return fs::path(variables_directory) /
         (utf8(variable.text) + "-" + std::string(vendor.data(), vendor.size()));
}

// efivarfs marks variables immutable, lest `rm -r` ends a machine.
void make_writable(int file) {
  int flags = 0;
  if (::ioctl(file, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags &= ~FS_IMMUTABLE_FL;
  (void)::ioctl(file, FS_IOC_SETFLAGS, &flags);  // writing says whether it was needed
}

void write_variable(const fs::path& path, Attributes attributes, Bytes value) {
  if (const int old = ::open(path.c_str(), O_RDONLY | O_CLOEXEC); old >= 0) {
    make_writable(old);
    ::close(old);
  }
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (file < 0) throw Failure(path.string() + ": cannot open: " + std::strerror(errno));
  const Bytes start = bytes_of_struct(attributes);
  Buffer all(start.begin(), start.end());
  all.insert(all.end(), value.begin(), value.end());
  const ssize_t written = ::write(file, all.data(), all.size());  // at once, or it is refused
  const int reason = errno;
  ::close(file);
  if (written != static_cast<ssize_t>(all.size()))
    throw Failure(path.string() + ": cannot write: " + std::strerror(reason));
}

void make_system_token(Deeds& deeds) {
  const auto& token = loader_interface::loader_system_token;
  const fs::path path = file_of(token);
  if (is_there(path) && read_file(path).size() >= sizeof(Attributes) + Secret::size) {
    deeds.report(Deed::leave_current, path);
    return;
  }
  deeds.perform(Deed::write, path,
                [&] { write_variable(path, token.attributes, random_secret().bytes()); });
}

struct SeedOptions {
  std::string esp, boot, variables = "auto";
  bool dry_run = false;
  JsonForm json = JsonForm::off;
};

bool writes_variables(const SeedOptions& options) {
  const bool possible = fs::is_directory(variables_directory);
  if (options.variables == "yes" && !possible)
    throw Failure(std::string(variables_directory) +
                  ": is not there; was this machine started by "
                  "UEFI firmware, and is efivarfs mounted?");
  return options.variables == "yes" ||
         (options.variables == "auto" && possible && is_mounted(options.esp));
}

void make_all(const SeedOptions& options) {
  if (options.esp.empty())
    throw Failure("no ESP is given; use --esp-path=DIRECTORY, such as /efi or /boot");
  for (const std::string& path : {options.esp, options.boot})
    if (!path.empty() && !fs::is_directory(path)) throw Failure(path + ": not a directory");
  const bool variables = writes_variables(options);
  Deeds deeds(options.dry_run, options.json);
  refresh_random_seed(deeds, options.esp);
  make_boot_secret_mixin(deeds, options.esp);
  if (!options.boot.empty()) make_boot_secret_mixin(deeds, options.boot);
  if (variables) make_system_token(deeds);
  deeds.print();
}

}  // namespace

void refresh_random_seed(Deeds& deeds, const fs::path& esp) {
  make_directories(deeds, esp, "loader");
  const fs::path path = find_on_volume(esp, random_seed_path);
  const Buffer old_seed = is_there(path) ? read_file(path) : Buffer();
  if (old_seed.size() > SeedSources::max_file_size)
    throw Failure(path.string() + ": is larger than a random seed ever is; remove it");
  deeds.perform(Deed::write, path,
                [&] { write_file(path, new_seed(old_seed).bytes(), Readers::owner); });
  warn_if_open_to_all(esp, "the random seed on it");
}

void make_boot_secret_mixin(Deeds& deeds, const fs::path& root) {
  make_directories(deeds, root, "loader");
  const fs::path path = find_on_volume(root, boot_secret_mixin_path);
  if (is_there(path) && read_file(path).size() >= Secret::size) {
    deeds.report(Deed::leave_current, path);
    return;
  }
  deeds.perform(Deed::write, path,
                [&] { write_file(path, random_secret().bytes(), Readers::owner); });
}

bool is_mounted(const fs::path& esp) {
  struct stat itself{}, parent{};
  const fs::path above = esp / "..";
  return ::stat(esp.c_str(), &itself) == 0 && ::stat(above.c_str(), &parent) == 0 &&
         itself.st_dev != parent.st_dev;
}

void add_random_seed(CLI::App& app) {
  const auto options = std::make_shared<SeedOptions>();
  CLI::App* command = app.add_subcommand(
      "random-seed", "Make the random seed and the boot secret's mixin on an ESP");
  command->add_option("--esp-path", options->esp, "Root of the EFI system partition")
      ->type_name("DIR");
  command->add_option("--boot-path", options->boot, "Root of the XBOOTLDR partition")
      ->type_name("DIR");
  command
      ->add_option("--variables", options->variables,
                   "Also make LoaderSystemToken: yes, no, auto (default): if mounted here")
      ->check(CLI::IsMember({"yes", "no", "auto"}))
      ->option_text("WHEN");
  command->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  add_json_option(*command, options->json);
  command->callback([options] { make_all(*options); });
}

}  // namespace keelson::tool
