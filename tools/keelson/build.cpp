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
#include "tools/keelson/hardware_inputs.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/pcr_policies.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/signing.h"
#include "tools/keelson/thin.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct BuildOptions {
  std::string linux_file, cmdline, os_release, uname, microcode, splash, devicetree, pcrpkey,
      pcrsig, hwids, profile, stub, arch, output, image_to_join;
  std::vector<std::string> initrds, sbat, sections, profiles_to_join, devicetrees_auto, efifw;
  bool thin = false;
  std::string esp, pinned_directory = default_pins_directory;  // of a thin UKI
  bool measure = false;
  SigningKey key;
  PcrChoice pcrs;
  PcrPolicyOptions policies;
  JsonForm json = JsonForm::off;
};

// Owns the bytes of all inputs while UkiInputs borrows them.
class Inputs {
 public:
  Bytes keep(Buffer buffer) {
    kept_.push_back(std::make_unique<Buffer>(std::move(buffer)));
    return *kept_.back();
  }
  Bytes file(const std::string& path) { return keep(read_file(path)); }
  Bytes text(const std::string& argument) {
    if (argument.starts_with('@')) return file(argument.substr(1));
    return verbatim(argument);
  }
  Bytes verbatim(std::string_view text) {
    const Bytes bytes = bytes_of(text);
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

// A directory of descriptions, or a table that is one already.
std::optional<Bytes> hardware_ids(const std::string& path, Inputs& inputs) {
  if (path.empty()) return std::nullopt;
  return fs::is_directory(path) ? inputs.keep(hwids_of(path)) : inputs.file(path);
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
  uki.hwids = hardware_ids(options.hwids, inputs);
  for (const std::string& path : options.devicetrees_auto) uki.dtbauto.push_back(inputs.file(path));
  for (const std::string& path : options.efifw) uki.efifw.push_back(inputs.keep(efifw_of(path)));
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

// A file that is put beside a thin UKI.
struct FileBeside {
  std::string path;  // on its volume
  Bytes content;
};
struct ThinPlan {
  std::optional<FileBeside> kernel, initrd;
};

fs::path pins_root(const BuildOptions& options) {
  return options.esp.empty() ? volume_root_of(options.output) : fs::path(options.esp);
}

ThinPlan plan_thin(const BuildOptions& options, const linker::UkiInputs& uki, Inputs& inputs) {
  if (!fs::is_directory(pins_root(options)))
    throw Failure(pins_root(options).string() +
                  ": not a directory; --esp-path= names the root of " +
                  "the volume that kernel and initrd are written to");
  std::string version;
  if (uki.uname) version = text_of(*uki.uname);
  if (version.empty() && uki.kernel) version = linker::find_uname(*uki.kernel).value_or("");
  const auto beside = [&](const char* stem, Bytes content) {
    return FileBeside{pinned_path(options.pinned_directory, stem, version, sha256(content)),
                      content};
  };
  ThinPlan plan;
  if (uki.kernel) plan.kernel = beside("kernel", *uki.kernel);
  if (!uki.initrds.empty())
    plan.initrd = beside("initrd", inputs.keep(linker::join_initrds(uki.initrds)));
  return plan;
}

// Before the image that needs them; none, if one of the names is taken.
void write_files_beside(const ThinPlan& plan, const fs::path& root) {
  std::vector<FileBeside> missing;
  for (const auto& file : {plan.kernel, plan.initrd})
    if (file && !file->content.empty() && !is_pinned_there(root, file->path, file->content))
      missing.push_back(*file);
  for (const FileBeside& file : missing) {
    write_pinned(root, file.path, file.content);
    note("Wrote " + file.path + " below " + root.string() + " (" +
         std::to_string(file.content.size()) + " bytes).");
  }
}

// What a stub takes of an add-on, and where it looks for it.
void check_addon(const linker::UkiInputs& addon, const std::string& output) {
  if (!addon.cmdline && !addon.dtb && addon.dtbauto.empty() && addon.initrds.empty() &&
      !addon.ucode)
    warn(output + ": an add-on without command line, device tree, initrd and microcode has no " +
         "effect; a UKI needs --linux=");
  if (!ends_with_ignoring_case(std::string_view(output), ".addon.efi"))
    warn(output + ": stubs look for add-ons whose names end in .addon.efi");
}

uki::Uki parse_built(Bytes image, const BuildOptions& options) {
  return or_fail(uki::Uki::parse(image, pe::Layout::file, pe::Accept::any_machine), options.output);
}

// The first one also of an image without profiles.
std::vector<uki::Range> profiles_of(const uki::Uki& uki, const BuildOptions& options) {
  std::vector<uki::Range> profiles = {or_fail(uki.profile(0), options.output)};
  for (auto next = uki.next_profile(profiles[0]); next; next = uki.next_profile(*next))
    profiles.push_back(*next);
  return profiles;
}

// What the profile of a thin image pins, from where it was written.
PinnedFiles pinned_by(const uki::Uki& uki, uki::Range profile, const BuildOptions& options,
                      Inputs& inputs) {
  return read_pinned_files(uki, uki.effective(profile), options.output, pins_root(options),
                           [&inputs](Buffer content) { return inputs.keep(std::move(content)); });
}

// PCR 11 of every profile, and in it of every device tree: a block of lines, or a document, each.
void print_measurements(Bytes image, const BuildOptions& options, Inputs& inputs) {
  const uki::Uki uki = parse_built(image, options);
  const PcrChoice choice = options.policies.with(options.pcrs);
  const auto profiles = profiles_of(uki, options);
  for (std::size_t number = 0; number < profiles.size(); ++number) {
    const auto sets = possible_sections(uki, profiles[number]);
    const PinnedFiles pinned = pinned_by(uki, profiles[number], options, inputs);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      if (profiles.size() > 1 || sets.size() > 1)
        note("# Profile " + std::to_string(number) +
             (sets.size() > 1 ? ", hardware " + std::to_string(i) : ""));
      print_pcrs(pcr_11_of(uki, sets[i], pinned, choice, options.output), options.json);
    }
  }
}

Buffer build_or_fail(const linker::UkiInputs& uki, const BuildOptions& options,
                     std::vector<std::string>& notes) {
  auto built = linker::build_uki(uki);
  if (!built.has_value()) throw Failure(options.output + ": not built: " + built.error().text());
  notes = std::move(built->notes);
  return std::move(built->image);
}

// `.pcrsig` of every profile, from the image as it is without them. Answers all entries.
PcrSignatures add_policies(linker::UkiInputs& uki, Bytes image, PcrPolicies& policies,
                           const BuildOptions& options, Inputs& inputs) {
  const uki::Uki built = parse_built(image, options);
  const auto profiles = profiles_of(built, options);
  PcrSignatures all;
  for (std::size_t number = 0; number < profiles.size(); ++number) {
    const auto entries =
        policies.entries_for(built, profiles[number],
                             pinned_by(built, profiles[number], options, inputs), options.output);
    if (!entries) continue;
    const Bytes section = inputs.verbatim(policies.section_of(*entries));
    (number == 0 ? uki.pcrsig : uki.joined[number - 1].pcrsig) = section;
    all.merge(*entries);
  }
  policies.check_profiles_found();
  return all;
}

// ukify's names: KERNEL.unsigned.efi or KERNEL.signed.efi, here.
std::string output_of(const BuildOptions& options) {
  if (!options.output.empty()) return options.output;
  if (options.linux_file.empty())
    throw Failure("build: no --output=FILE is given, and no --linux= to name it after");
  return fs::path(options.linux_file).filename().string() +
         (options.key.given() ? ".signed.efi" : ".unsigned.efi");
}

Json describe(Bytes image, const BuildOptions& options, const ThinPlan& thin = {}) {
  Json document = {{"path", options.output},
                   {"size", image.size()},
                   {"sha256", hex(sha256(image))},
                   {"signed", options.key.given()}};
  for (const auto& file : {thin.kernel, thin.initrd})
    if (file) document["pinned"].push_back(file->path);
  return document;
}

// Whether the image gets policies. Failure: it cannot have any, or has them already.
bool gets_policies(const PcrPolicies& policies, const BuildOptions& options) {
  if (!policies.wanted()) {
    if (!options.measure && !options.policies.phases.empty())
      throw Failure("--phases= goes with --pcr-private-key=, --policy-digest or --measure");
    if (!options.policies.references.empty() || !options.policies.profiles.empty())
      throw Failure(
          "--policyref= and --sign-profile= go with --pcr-private-key= or --policy-digest");
    return false;
  }
  if (!options.pcrsig.empty())
    throw Failure("--pcrsig= and PCR keys exclude each other: either would be the .pcrsig");
  switch (kind_of(options)) {
    case linker::UkiKind::uki:
      break;
    case linker::UkiKind::addon:
      throw Failure("an add-on has no PCR 11 policy; PCR keys go with --linux=");
    case linker::UkiKind::profile:
      warn(options.output + ": a profile gets its PCR signatures where it is joined, not here");
      return false;
  }
  return true;
}

void report(Bytes image, const BuildOptions& options) {
  note("Wrote " + std::string(options.key.given() ? "signed " : "unsigned ") + options.output +
       " (" + std::to_string(image.size()) + " bytes).");
}

void build(BuildOptions options, bool os_release_given) {
  options.output = output_of(options);
  if (options.key.given()) options.key.check();
  if (options.measure && options.policies.digests_only)
    throw Failure("--measure and --policy-digest both print: give one of them");
  options.policies.with(options.pcrs).chosen_banks();  // refuses a bad one before anything is done
  PcrPolicies policies(options.policies, options.pcrs);
  Inputs inputs;
  linker::UkiInputs uki = read_inputs(options, os_release_given, inputs);
  const bool with_policies = gets_policies(policies, options);
  if (const auto key = policies.default_public_key(); with_policies && key && !uki.pcrpkey)
    uki.pcrpkey = inputs.verbatim(*key);
  ThinPlan thin;
  if (options.thin) {
    thin = plan_thin(options, uki, inputs);
    uki.thin = {.kernel = thin.kernel ? thin.kernel->path : std::string_view(),
                .initrd = thin.initrd ? thin.initrd->path : std::string_view()};
  }
  std::vector<std::string> notes;
  Buffer image = build_or_fail(uki, options, notes);
  write_files_beside(thin, pins_root(options));
  PcrSignatures entries;
  if (with_policies) {
    entries = add_policies(uki, image, policies, options, inputs);
    image = build_or_fail(uki, options, notes);
  }
  if (options.key.given()) image = sign_image(image, options.key);
  write_file(options.output, image);

  for (const std::string& text : notes) warn(options.output + ": " + text);
  if (options.measure) {
    print_measurements(image, options, inputs);
  } else if (options.policies.digests_only) {
    print_json(entries.json(), options.json == JsonForm::off ? JsonForm::brief : options.json);
  } else if (options.json != JsonForm::off) {
    print_json(describe(image, options, thin), options.json);
  }
  if (uki.kind == linker::UkiKind::addon) check_addon(uki, options.output);
  report(image, options);
}

// --join-pcrsig=: signatures made elsewhere go into an image that was built with --policy-digest.
void join(const BuildOptions& options) {
  if (options.pcrsig.empty() || options.output.empty())
    throw Failure("--join-pcrsig= needs --pcrsig=TEXT|@FILE and --output=FILE");
  if (options.key.given()) options.key.check();
  Inputs inputs;
  const std::string subject =
      options.pcrsig.starts_with('@') ? options.pcrsig.substr(1) : "--pcrsig";
  const auto signatures = PcrSignatures::parse(inputs.text(options.pcrsig), subject);
  Buffer image =
      join_signatures(inputs.file(options.image_to_join), options.image_to_join, signatures);
  if (options.key.given()) image = sign_image(image, options.key);
  write_file(options.output, image);
  if (options.json != JsonForm::off) print_json(describe(image, options), options.json);
  report(image, options);
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
  add_repeatable(command, "--devicetree-auto", options.devicetrees_auto,
                 "Device tree blob for matching machines only; may repeat", "FILE");
  command
      .add_option("--hwids", options.hwids,
                  "Hardware ids: a directory with JSON descriptions, or a finished table")
      ->type_name("DIR|FILE");
  add_repeatable(command, "--efifw", options.efifw,
                 "Firmware: a directory called as its id, with one file; may repeat", "DIR");
  add_repeatable(command, "--sbat", options.sbat, "SBAT lines to add", "TEXT|@FILE");
  file("--pcrpkey", options.pcrpkey, "Public key of the PCR signatures, PEM");
  text("--pcrsig", options.pcrsig, "PCR signatures, JSON: the .pcrsig section as it is");
  text("--profile", options.profile, "Text of the profile (to join later), or of the first one");
  add_repeatable(command, "--join-profile", options.profiles_to_join, "Profile file to join",
                 "FILE");
  add_repeatable(command, "--section", options.sections, "Any other section",
                 "NAME:TEXT|NAME:@FILE");
  return os_release;
}

// Returns the options that make no sense with it, which are all so far but --pcrsig: CLI11's own
// way to exclude them would name each in the help of every other.
std::vector<const CLI::Option*> add_join_option(CLI::App& command, BuildOptions& options) {
  std::vector<const CLI::Option*> excluded;
  for (const CLI::Option* other : command.get_options())
    if (other->get_name() != "--pcrsig" && other->get_name() != "--help") excluded.push_back(other);
  command
      .add_option("--join-pcrsig", options.image_to_join,
                  "Put the signatures of --pcrsig= into this image of --policy-digest")
      ->type_name("IMAGE")
      ->group("Signed PCR policies");
  return excluded;
}

void refuse_any(const std::vector<const CLI::Option*>& excluded) {
  for (const CLI::Option* option : excluded)
    if (option->count() != 0) throw CLI::ExcludesError("--join-pcrsig", option->get_name());
}

}  // namespace

void add_build(CLI::App& app) {
  const auto options = std::make_shared<BuildOptions>();
  options->arch = native_arch();
  CLI::App* command = app.add_subcommand(
      "build", "Build a unified kernel image (with --linux=) or an add-on (without)");
  const CLI::Option* os_release = add_section_options(*command, *options);
  options->policies.add_options(*command);
  const auto excluded_by_join = add_join_option(*command, *options);
  command->add_option("--stub", options->stub, "Stub (default: ours)")->type_name("FILE");
  add_arch_option(*command, options->arch, "Architecture of our stub");
  command
      ->add_option("-o,--output", options->output,
                   "Image to write (default: KERNEL.unsigned.efi or KERNEL.signed.efi)")
      ->type_name("FILE");
  command->add_flag("--thin", options->thin,
                    "Put kernel and initrd beside the image, which holds their hashes");
  command
      ->add_option("--pinned-directory", options->pinned_directory,
                   "Where they lie on the volume (default: " + options->pinned_directory + ")")
      ->type_name("DIR");
  command
      ->add_option("--esp-path", options->esp,
                   "Root of that volume (default: what is above EFI/Linux in --output=)")
      ->type_name("DIR");
  options->key.add_options(*command);
  command->add_flag("--measure", options->measure, "Print the PCR 11 values");
  command->add_flag_callback(
      "--no-measure", [options] { options->measure = false; }, "Do not (default)");
  options->pcrs.add_options(*command);
  add_json_option(*command, options->json);
  command->callback([options, os_release, excluded_by_join] {
    if (options->image_to_join.empty()) {
      build(*options, os_release->count() > 0);
    } else {
      refuse_any(excluded_by_join);
      join(*options);
    }
  });
}

}  // namespace keelson::tool
