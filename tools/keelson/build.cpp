// SPDX-License-Identifier: MIT
//
// keelson build: reads the parts, lets linker/uki_builder assemble them, signs, and
// writes the result safely, also straight into an ESP.
#include "linker/uki_builder.h"

#include <memory>

#include "efi/base/digest.h"
#include "efi/format/pe.h"
#include "efi/format/uki.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/signing.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct BuildOptions {
  std::string linux_file, cmdline, os_release, uname, microcode, splash, devicetree, pcrpkey,
      pcrsig, hwids, profile, stub, arch, output;
  std::vector<std::string> initrds, sbat, sections, profiles_to_join;
  bool measure = false;
  SigningKey key;
  PcrChoice pcrs;
  JsonForm json = JsonForm::off;
};

// Owns the bytes of all inputs while UkiInputs borrows them.
class Inputs {
 public:
  Bytes file(const std::string& path) { return keep(read_file(path)); }
  Bytes text(const std::string& argument) {
    if (argument.starts_with('@')) return file(argument.substr(1));
    const Bytes bytes = bytes_of(std::string_view(argument));
    return keep(Buffer(bytes.begin(), bytes.end()));
  }
  // An option that was not given is absent.
  std::optional<Bytes> optional_file(const std::string& path) {
    return path.empty() ? std::nullopt : std::optional(file(path));
  }
  std::optional<Bytes> optional_text(const std::string& argument) {
    return argument.empty() ? std::nullopt : std::optional(text(argument));
  }

 private:
  Bytes keep(Buffer buffer) {
    kept_.push_back(std::make_unique<Buffer>(std::move(buffer)));
    return *kept_.back();
  }
  std::vector<std::unique_ptr<Buffer>> kept_;
};

// "--cmdline=TEXT": white space collapsed, as ukify does; "@FILE" is taken as it is.
std::string collapsed(const std::string& text) {
  if (text.starts_with('@')) return text;
  std::string result;
  bool gap = false;
  for (const char c : text) {
    const bool white = c == ' ' || (c >= '\t' && c <= '\r');
    if (!white) {
      if (gap && !result.empty()) result += ' ';
      result += c;
    }
    gap = white;
  }
  return result;
}

std::string host_os_release() {
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"})
    if (fs::is_regular_file(path)) return std::string("@") + path;
  throw Failure("--os-release: this machine has no os-release file; give one, or an empty text");
}

linker::CustomSection custom_section(const std::string& argument, Inputs& inputs) {
  const std::size_t colon = argument.find(':');
  if (colon == std::string::npos || colon == 0)
    throw Failure("--section=" + argument + ": expected NAME:TEXT or NAME:@FILE");
  return {argument.substr(0, colon), inputs.text(argument.substr(colon + 1))};
}

// What a stub of this machine can start: a PE image for the same machine.
void check_kernel(Bytes kernel, const std::string& path, pe::Machine machine,
                  const std::string& stub) {
  const auto image = pe::Image::parse(kernel, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value())
    throw Failure(path + ": not a kernel with an EFI stub: " + describe(image.error()));
  if (whole_image(kernel, path).headers().machine != machine)
    throw Failure(path + ": is for " + std::string(pe::efi_arch(image->headers().machine)) +
                  ", the stub " + stub + " for " + std::string(pe::efi_arch(machine)));
}

Bytes profile_in(Bytes bytes, const std::string& path) {
  if (!or_fail(uki::Uki::parse(whole_image(bytes, path)), path).has_profiles())
    throw Failure(path +
                  ": holds no profile; build it with --profile= and without --join-profile=");
  return bytes;
}

// As ukify decides it: a `.profile` that nothing is joined to is a file to join later.
linker::UkiKind kind_of(const BuildOptions& options) {
  if (!options.profile.empty() && options.profiles_to_join.empty()) return linker::UkiKind::profile;
  return options.linux_file.empty() ? linker::UkiKind::addon : linker::UkiKind::uki;
}

linker::UkiInputs read_inputs(const BuildOptions& options, bool os_release_given, Inputs& inputs) {
  linker::UkiInputs uki;
  const bool addon = options.linux_file.empty();
  uki.kind = kind_of(options);
  const std::string stub =
      options.stub.empty()
          ? find_program(addon ? Program::addon : Program::stub, options.arch).string()
          : options.stub;
  uki.stub = inputs.file(stub);
  const pe::Machine machine = whole_image(uki.stub, stub).headers().machine;
  uki.kernel = inputs.optional_file(options.linux_file);
  if (uki.kernel) check_kernel(*uki.kernel, options.linux_file, machine, stub);
  const std::string os_release =
      !os_release_given && !addon ? host_os_release() : options.os_release;
  uki.osrel = inputs.optional_text(os_release);
  uki.cmdline = inputs.optional_text(collapsed(options.cmdline));
  uki.ucode = inputs.optional_file(options.microcode);
  uki.splash = inputs.optional_file(options.splash);
  uki.dtb = inputs.optional_file(options.devicetree);
  uki.pcrpkey = inputs.optional_file(options.pcrpkey);
  uki.hwids = inputs.optional_file(options.hwids);
  uki.uname = inputs.optional_text(options.uname);
  uki.profile = inputs.optional_text(options.profile);
  uki.pcrsig = inputs.optional_text(options.pcrsig);
  for (const std::string& path : options.initrds) uki.initrds.push_back(inputs.file(path));
  for (const std::string& lines : options.sbat) uki.sbat.push_back(text_of(inputs.text(lines)));
  for (const std::string& section : options.sections)
    uki.custom.push_back(custom_section(section, inputs));
  for (const std::string& path : options.profiles_to_join)
    uki.joined.push_back({.pe = profile_in(inputs.file(path), path), .pcrsig = std::nullopt});
  return uki;
}

// PCR 11 of the first profile.
std::vector<PcrValue> measure(Bytes image, const BuildOptions& options) {
  const auto uki =
      or_fail(uki::Uki::parse(image, pe::Layout::file, pe::Accept::any_machine), options.output);
  MeasurementList list;
  const uki::Range first = or_fail(uki.profile(0), options.output);
  or_fail(list.add_uki({uki, uki.effective(first)}), options.output);
  return replay_phases_of(list, options.pcrs);
}

// ukify's names: KERNEL.unsigned.efi or KERNEL.signed.efi, here.
std::string output_of(const BuildOptions& options) {
  if (!options.output.empty()) return options.output;
  if (options.linux_file.empty())
    throw Failure("build: no --output=FILE is given, and no --linux= to name it after");
  return fs::path(options.linux_file).filename().string() +
         (options.key.given() ? ".signed.efi" : ".unsigned.efi");
}

Json describe(Bytes image, const BuildOptions& options) {
  return {{"path", options.output},
          {"size", image.size()},
          {"sha256", hex(sha256(image))},
          {"signed", options.key.given()}};
}

void build(BuildOptions options, bool os_release_given) {
  options.output = output_of(options);
  if (options.key.given()) options.key.check();
  Inputs inputs;
  const linker::UkiInputs uki = read_inputs(options, os_release_given, inputs);
  auto built = linker::build_uki(uki);
  if (!built.has_value()) throw Failure(options.output + ": not built: " + built.error().text());
  const Buffer image =
      options.key.given() ? sign_image(built->image, options.key) : std::move(built->image);
  std::vector<PcrValue> pcrs;
  if (options.measure) pcrs = measure(image, options);
  write_file(options.output, image);

  for (const std::string& text : built->notes) warn(options.output + ": " + text);
  if (options.measure) {
    print_pcrs(pcrs, options.json);
  } else if (options.json != JsonForm::off) {
    print_json(describe(image, options), options.json);
  }
  note("Wrote " + std::string(options.key.given() ? "signed " : "unsigned ") + options.output +
       " (" + std::to_string(image.size()) + " bytes).");
}

// Answers --os-release=, whose absence means something.
const CLI::Option* add_section_options(CLI::App& command, BuildOptions& options) {
  const auto file = [&](const char* name, std::string& value, const char* help) {
    command.add_option(name, value, help)->type_name("FILE");
  };
  const auto text = [&](const char* name, std::string& value, const char* help) {
    return command.add_option(name, value, help)->type_name("TEXT|@FILE");
  };
  file("--linux", options.linux_file, "Kernel image");
  add_repeatable(command, "--initrd", options.initrds, "Initrd; several are joined", "FILE");
  text("--cmdline", options.cmdline, "Kernel command line");
  const CLI::Option* os_release =
      text("--os-release", options.os_release, "os-release text (default: this machine's)");
  text("--uname", options.uname, "Kernel version (default: taken from the kernel)");
  file("--microcode", options.microcode, "Microcode archive");
  file("--splash", options.splash, "Boot picture, BMP");
  file("--devicetree", options.devicetree, "Device tree blob");
  file("--hwids", options.hwids, "Hardware id table");
  add_repeatable(command, "--sbat", options.sbat, "SBAT lines to add", "TEXT|@FILE");
  file("--pcrpkey", options.pcrpkey, "Public key of the PCR signatures, PEM");
  text("--pcrsig", options.pcrsig, "PCR signatures, JSON");
  text("--profile", options.profile, "Text of the profile (to join later), or of the first one");
  add_repeatable(command, "--join-profile", options.profiles_to_join, "Profile file to join",
                 "FILE");
  add_repeatable(command, "--section", options.sections, "Any other section",
                 "NAME:TEXT|NAME:@FILE");
  return os_release;
}

}  // namespace

void add_build(CLI::App& app) {
  const auto options = std::make_shared<BuildOptions>();
  options->arch = native_arch();
  CLI::App* command = app.add_subcommand(
      "build", "Build a unified kernel image (with --linux=) or an add-on (without)");
  const CLI::Option* os_release = add_section_options(*command, *options);
  command->add_option("--stub", options->stub, "Stub (default: ours)")->type_name("FILE");
  add_arch_option(*command, options->arch, "Architecture of our stub");
  command
      ->add_option("-o,--output", options->output,
                   "Image to write (default: KERNEL.unsigned.efi or KERNEL.signed.efi)")
      ->type_name("FILE");
  options->key.add_options(*command);
  command->add_flag("--measure", options->measure, "Print the PCR 11 values");
  command->add_flag_callback(
      "--no-measure", [options] { options->measure = false; }, "Do not (default)");
  options->pcrs.add_options(*command);
  add_json_option(*command, options->json);
  command->callback([options, os_release] { build(*options, os_release->count() > 0); });
}

}  // namespace keelson::tool
