// SPDX-License-Identifier: MIT
//
// keelson build: lets linker/uki_builder assemble the parts (image_parts.h), signs, and writes the
// result safely, also straight into an ESP.
#include "linker/uki_builder.h"

#include <memory>

#include "efi/base/digest.h"
#include "efi/format/uki.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/image_parts.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/pcr_policies.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/signing.h"
#include "tools/keelson/thin.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct BuildOptions {
  ImageParts parts;
  std::string output, image_to_join;
  bool thin = false;
  std::string esp, pinned_directory = default_pins_directory;  // of a thin UKI
  bool measure = false;
  SigningKey key;
  PcrChoice pcrs;
  PcrPolicyOptions policies;
  JsonForm json = JsonForm::off;
};

// Every file and directory that is read, as far as it was named.
std::vector<std::string> files_read(const BuildOptions& options) {
  std::vector<std::string> names = options.parts.files();
  for (const std::string& name :
       {options.image_to_join, options.key.private_key, options.key.certificate})
    if (!name.empty()) names.push_back(name);
  const PcrPolicyOptions& keys = options.policies;
  for (const auto* more : {&keys.private_keys, &keys.public_keys, &keys.certificates})
    names.insert(names.end(), more->begin(), more->end());
  return names;
}

// What is put beside a thin UKI.
struct ThinPlan {
  std::optional<FileBeside> kernel, initrd;

  std::vector<FileBeside> files() const {
    std::vector<FileBeside> all;
    for (const auto& file : {kernel, initrd})
      if (file && !file->content.empty()) all.push_back(*file);
    return all;
  }
};

fs::path pins_root(const BuildOptions& options) {
  return options.esp.empty() ? volume_root_of(options.output) : fs::path(options.esp);
}

ThinPlan plan_thin(const BuildOptions& options, const linker::UkiInputs& uki) {
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
  if (!uki.initrds.empty()) plan.initrd = beside("initrd", uki.initrds.front());
  return plan;
}

// Before the image that needs them; none, if one of the names is taken.
void write_files_beside(const ThinPlan& plan, const fs::path& root) {
  std::vector<FileBeside> missing;
  for (const FileBeside& file : plan.files())
    if (!is_pinned_there(root, file.path, file.content)) missing.push_back(file);
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

// What the profile of a thin image pins: this image's files, or those of a joined profile.
PinnedFiles pinned_by(const uki::Uki& uki, uki::Range profile, const BuildOptions& options,
                      const ThinPlan& thin, Inputs& inputs) {
  return read_pinned_files(uki, uki.effective(profile), options.output,
                           {.root = pins_root(options), .unwritten = thin.files()},
                           [&inputs](Buffer content) { return inputs.keep(std::move(content)); });
}

// PCR 11 of every profile, and in it of every device tree: a block of lines, or a document, each.
void print_measurements(Bytes image, const BuildOptions& options, const ThinPlan& thin,
                        Inputs& inputs) {
  const uki::Uki uki = parse_built(image, options);
  const PcrChoice choice = options.policies.with(options.pcrs);
  const auto profiles = profiles_of(uki, options);
  for (std::size_t number = 0; number < profiles.size(); ++number) {
    const auto sets = possible_sections(uki, profiles[number]);
    const PinnedFiles pinned = pinned_by(uki, profiles[number], options, thin, inputs);
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
                           const BuildOptions& options, const ThinPlan& thin, Inputs& inputs) {
  const uki::Uki built = parse_built(image, options);
  const auto profiles = profiles_of(built, options);
  PcrSignatures all;
  for (std::size_t number = 0; number < profiles.size(); ++number) {
    const auto entries = policies.entries_for(
        built, profiles[number], pinned_by(built, profiles[number], options, thin, inputs),
        options.output);
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
  if (options.parts.linux_file.empty())
    throw Failure("build: no --output=FILE is given, and no --linux= to name it after");
  return fs::path(options.parts.linux_file).filename().string() +
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
  if (!options.parts.pcrsig.empty())
    throw Failure("--pcrsig= and PCR keys exclude each other: either would be the .pcrsig");
  switch (options.parts.kind()) {
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

// Failure: options that exclude each other, before anything is read.
void check_options(const BuildOptions& options) {
  if (options.key.given()) options.key.check();
  if (options.measure && options.policies.digests_only)
    throw Failure("--measure and --policy-digest both print: give one of them");
  options.policies.with(options.pcrs).chosen_banks();
}

void print_result(Bytes image, const BuildOptions& options, const ThinPlan& thin,
                  const PcrSignatures& entries, Inputs& inputs) {
  if (options.measure) {
    print_measurements(image, options, thin, inputs);
  } else if (options.policies.digests_only) {
    print_json(entries.json(), options.json == JsonForm::off ? JsonForm::brief : options.json);
  } else if (options.json != JsonForm::off) {
    print_json(describe(image, options, thin), options.json);
  }
}

void build(BuildOptions options) {
  options.output = output_of(options);
  refuse_as_output(options.output, files_read(options));
  check_options(options);
  PcrPolicies policies(options.policies, options.pcrs);
  Inputs inputs;
  linker::UkiInputs uki = options.parts.read(inputs);
  const bool with_policies = gets_policies(policies, options);
  if (const auto key = policies.default_public_key(); with_policies && key && !uki.pcrpkey)
    uki.pcrpkey = inputs.verbatim(*key);
  ThinPlan thin;
  if (options.thin) {
    thin = plan_thin(options, uki);
    uki.thin = {.kernel = thin.kernel ? thin.kernel->path : std::string_view(),
                .initrd = thin.initrd ? thin.initrd->path : std::string_view()};
  }
  std::vector<std::string> notes;
  Buffer image = build_or_fail(uki, options, notes);
  PcrSignatures entries;
  if (with_policies) {
    entries = add_policies(uki, image, policies, options, thin, inputs);
    image = Buffer();  // not two at the same time
    image = build_or_fail(uki, options, notes);
  }
  if (options.key.given()) image = sign_image(image, options.key);
  write_files_beside(thin, pins_root(options));
  write_file(options.output, image);

  for (const std::string& text : notes) warn(options.output + ": " + text);
  print_result(image, options, thin, entries, inputs);
  if (uki.kind == linker::UkiKind::addon) check_addon(uki, options.output);
  report(image, options);
}

// --join-pcrsig=: signatures made elsewhere go into an image that was built with --policy-digest.
void join(const BuildOptions& options) {
  if (options.parts.pcrsig.empty() || options.output.empty())
    throw Failure("--join-pcrsig= needs --pcrsig=TEXT|@FILE and --output=FILE");
  refuse_as_output(options.output, files_read(options));
  if (options.key.given()) options.key.check();
  Inputs inputs;
  const std::string subject =
      options.parts.pcrsig.starts_with('@') ? options.parts.pcrsig.substr(1) : "--pcrsig";
  const auto signatures = PcrSignatures::parse(inputs.text(options.parts.pcrsig), subject);
  Buffer image =
      join_signatures(inputs.file(options.image_to_join), options.image_to_join, signatures);
  if (options.key.given()) image = sign_image(image, options.key);
  write_file(options.output, image);
  if (options.json != JsonForm::off) print_json(describe(image, options), options.json);
  report(image, options);
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
  CLI::App* command = app.add_subcommand(
      "build", "Build a unified kernel image (with --linux=) or an add-on (without)");
  options->parts.add_options(*command);
  options->policies.add_options(*command);
  const auto excluded_by_join = add_join_option(*command, *options);
  options->parts.add_stub_options(*command);
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
  command->callback([options, excluded_by_join] {
    if (options->image_to_join.empty()) {
      build(*options);
    } else {
      refuse_any(excluded_by_join);
      join(*options);
    }
  });
}

}  // namespace keelson::tool
