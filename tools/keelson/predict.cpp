// SPDX-License-Identifier: MIT
//
// keelson predict: the PCR values that a boot through our loader and stub will lead to, from the
// files alone: PCR 4 (the chain of images), 11 (the UKI, per boot phase), 12 and 13 (parameters,
// add-ons, companion files). Walks the same measurement lists as loader and stub, so prediction and
// measurement cannot differ.
#include <CLI/CLI.hpp>
#include <list>
#include <memory>

#include "efi/format/authenticode.h"
#include "efi/format/command_line.h"
#include "efi/format/uki.h"
#include "stub/candidates.h"
#include "stub/plan_boot.h"
#include "tools/keelson/companions.h"
#include "tools/keelson/esp_tree.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/loader_places.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/thin.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct PredictOptions {
  std::string esp, boot, entry;          // an ESP tree and an entry's id, or
  std::string loader, uki, line;         // single files and the line an entry passes
  std::optional<std::uint32_t> profile;  // of `uki`
  bool secure_boot = false;
  PcrChoice pcrs;
  JsonForm json = JsonForm::off;
};

// What is started, how.
struct Chain {
  fs::path loader;  // empty: the firmware starts the UKI itself
  fs::path uki;
  fs::path root;                // of the volume it lies on
  std::u16string_view path;     // on that volume; empty: without what lies beside it
  std::u16string_view options;  // of the entry, not yet with the profile selector
  bool options_implied = false;
  std::uint32_t profile = 0;
};

std::size_t find_entry_or_fail(EspTree& tree, const PredictOptions& options, TextArena& arena) {
  const auto entries = std::as_const(tree.entries()).entries();
  const auto found = options.entry.empty() ? tree.default_entry().index
                                           : find_entry(entries, utf16(options.entry, arena));
  if (!found)
    throw Failure(options.esp + ": no boot entry" +
                  (options.entry.empty() ? "" : " called " + options.entry) +
                  "; `keelson list` shows what is there");
  return *found;
}

fs::path installed_loader(const std::string& esp) {
  const LoaderPlaces places = loader_places(esp, native_arch());
  for (const fs::path& path : {places.loader, places.removable})
    if (is_there(path)) return path;
  throw Failure(esp +
                ": no loader is installed there; `keelson install` it, or name one by --loader=");
}

Chain chain_of_tree(EspTree& tree, const PredictOptions& options, TextArena& arena) {
  const Entry& entry = tree.entries().entries()[find_entry_or_fail(tree, options, arena)];
  if (entry.kind != EntryKind::uki && entry.kind != EntryKind::type2)
    throw Failure(utf8(entry.id) + ": is not a unified kernel image; only those are predicted");
  Chain chain{
      .loader = options.loader.empty() ? installed_loader(options.esp) : fs::path(options.loader),
      .uki = tree.resolve(entry.source, entry.executable.text()),
      .root = tree.root(entry.source),
      .path = entry.executable.text(),
      .options = entry.options,
      .options_implied = entry.options_implied,
      .profile = entry.profile};
  if (!options.line.empty()) {
    chain.options = utf16(options.line, arena);
    chain.options_implied = false;
  }
  return chain;
}

// PCR 4 as firmware extends it (tools.md 5): the action, the separator, then every image that it
// loads, add-ons too.
std::vector<PcrValue> predict_pcr4(const Chain& chain, const std::vector<Buffer>& addons,
                                   const PcrChoice& choice) {
  const std::string_view action = "Calling EFI Application from Boot Option";
  const std::array<std::byte, 4> separator{};
  std::vector<fs::path> images;
  if (!chain.loader.empty()) images.push_back(chain.loader);
  images.push_back(chain.uki);
  std::vector<Buffer> contents;
  for (const fs::path& path : images) {
    contents.push_back(read_file(path));
    or_fail(authenticode::hashed_bytes(contents.back()), path.string());
  }
  contents.insert(contents.end(), addons.begin(), addons.end());

  std::vector<PcrValue> values;
  for (const HashAlgorithm bank : choice.chosen_banks()) {
    Digest value(bank);
    for (const Bytes event : {bytes_of(action), Bytes(separator)})
      value = or_fail(extend(value, or_fail(hash(bank, event), "PCR 4")), "PCR 4");
    for (const Buffer& image : contents) {
      const auto parts = or_fail(authenticode::hashed_bytes(image), "PCR 4");
      Hasher hasher = or_fail(Hasher::start(bank), "PCR 4");
      for (const Bytes part : parts.items()) hasher.update(part);
      value = or_fail(extend(value, hasher.finish()), "PCR 4");
    }
    values.push_back({pcr::boot_loader_code, std::nullopt, value});
  }
  return values;
}

// What is passed to the image as load options: what the loader measures, and the stub reads.
std::optional<std::u16string_view> passed_options(const Chain& chain, TextArena& arena) {
  return or_fail(compose_load_options({.initrds = {},
                                       .options = chain.options,
                                       .implied = chain.options_implied,
                                       .profile = chain.profile},
                                      arena),
                 "load options");
}

Bytes uname_of(const uki::Contents& contents, const std::string& path) {
  return or_fail(contents.data(UkiSection::uname), path).stored;
}

// Everything that loader and stub measure, in their order.
struct Events {
  TextArena texts;
  std::list<Buffer> files;  // that the lists refer to
  Companions companions;
  MeasurementList before;  // what the loader passes; the image itself
  stub::BootPlan boot;     // what came from outside

  Digest value(std::uint32_t pcr, HashAlgorithm bank) const {
    const Digest first = or_fail(replay(before.items(), pcr, Digest(bank)), "PCR prediction");
    return or_fail(replay(boot.events.list.items(), pcr, first), "PCR prediction");
  }
};

// What the stub says before it measures anything. Only a machine like this one is known.
void warn_if_not_booted(const stub::Facts& facts, const uki::Contents& contents,
                        const std::string& path) {
  if (facts.uki.image().headers().machine != pe::native_machine) return;
  const auto plan = stub::plan_image(facts, contents, stub::KernelOrigin::section);
  if (!plan.has_value())
    warn(path + ": our stub would not boot it: " + describe(plan.error()) +
         "; predicted as if it did");
}

// `image` is the UKI as it lies in memory.
void plan_events(const Chain& chain, const uki::Uki& image, bool secure_boot, Events& events) {
  const std::string path = chain.uki.string();
  const auto passed = passed_options(chain, events.texts);
  // A loader that starts the UKI measures what it passes; the firmware does not.
  if (passed && !chain.loader.empty()) or_fail(events.before.add_command_line(*passed), "PCR 12");
  stub::Facts facts;
  facts.uki = image;
  facts.request =
      or_fail(parse_load_options(bytes_of(passed.value_or(std::u16string_view())), events.texts),
              "load options");
  facts.secure_boot = secure_boot;
  or_fail(events.before.add_profile(facts.request.profile), "PCR 12");

  const auto sections = image.effective(or_fail(image.profile(facts.request.profile), path));
  const PinnedFiles pinned = read_pinned_files(
      image, sections, path, {.root = chain.root, .unwritten = {}},
      [&events](Buffer file) -> Bytes { return events.files.emplace_back(std::move(file)); });
  const stub::ImagePlan own(pinned.contents(image, sections));
  if (or_fail(own.contents.data(UkiSection::kernel), path).size() == 0)
    throw Failure(path + ": has no .linux section, so it is no unified kernel image");
  warn_if_not_booted(facts, own.contents, path);
  or_fail(events.before.add_uki(own.contents), path);
  if (stub::has_candidates(image))
    warn(path + ": has parts for certain machines; predicted for one that selects none of them");
  if (!chain.path.empty())
    events.companions = gather_companions(
        chain.root,
        {.path = chain.path, .uname = uname_of(own.contents, path), .secure_boot = secure_boot});
  events.boot = or_fail(stub::plan_boot(facts, own, events.companions.gathered), path);
}

Chain chain_of_file(const PredictOptions& options, TextArena& arena) {
  return {.loader = options.loader,
          .uki = options.uki,
          .root = volume_root_of(options.uki),
          .path = {},
          .options = utf16(options.line, arena),
          .options_implied = options.line.empty(),
          .profile = options.profile.value_or(0)};
}

void check(const PredictOptions& options) {
  if (options.esp.empty() == options.uki.empty())
    throw Failure("predict: give either --esp-path=DIRECTORY or --uki=FILE");
  if (!options.esp.empty() && options.profile)
    throw Failure(
        "--profile= goes with --uki=; with --esp-path= the entry says which profile, as in " +
        std::string("--entry=linux.efi@ID; `keelson list` shows them"));
}

void predict(const PredictOptions& options) {
  check(options);
  TextArena arena;
  std::optional<EspTree> tree;
  Chain chain;
  if (!options.esp.empty()) {
    tree.emplace(options.esp, options.boot, native_arch());
    chain = chain_of_tree(*tree, options, arena);
  } else {
    chain = chain_of_file(options, arena);
  }
  const std::string path = chain.uki.string();
  const Buffer file = read_file(chain.uki);
  const Buffer memory = loaded_image(whole_image(file, path), path);
  const auto image =
      or_fail(uki::Uki::parse(memory, pe::Layout::loaded, pe::Accept::any_machine), path);
  Events events;
  plan_events(chain, image, options.secure_boot, events);

  std::vector<PcrValue> values = predict_pcr4(chain, events.companions.loaded, options.pcrs);
  for (auto& value : replay_phases_of(events.before, options.pcrs)) values.push_back(value);
  for (const std::uint32_t pcr : {pcr::kernel_parameters, pcr::system_extensions})
    for (const HashAlgorithm bank : options.pcrs.chosen_banks())
      values.push_back({pcr, std::nullopt, events.value(pcr, bank)});
  print_pcrs(values, options.json);
}

}  // namespace

void add_predict(CLI::App& app) {
  const auto options = std::make_shared<PredictOptions>();
  CLI::App* command =
      app.add_subcommand("predict", "Print the PCR 4, 11, 12 and 13 values that a boot will have");
  const auto text = [&](const char* name, std::string& value, const char* help, const char* type) {
    command->add_option(name, value, help)->type_name(type);
  };
  text("--esp-path", options->esp, "Root of an EFI system partition", "DIR");
  text("--boot-path", options->boot, "Root of its XBOOTLDR partition", "DIR");
  text("--entry", options->entry, "Id of the entry on the ESP (default: the default one)", "ID");
  text("--uki", options->uki, "Predict this image alone instead of an entry", "FILE");
  text("--loader", options->loader, "Loader that starts it (default on an ESP: ours there)",
       "FILE");
  text("--options", options->line, "Line that the entry passes", "TEXT");
  command->add_option("--profile", options->profile, "Profile number of the --uki= image")
      ->type_name("N");
  command
      ->add_option("--secure-boot", options->secure_boot,
                   "Whether Secure Boot will be on (default: no)")
      ->type_name("BOOL");
  options->pcrs.add_options(*command);
  add_json_option(*command, options->json);
  command->callback([options] { predict(*options); });
}

}  // namespace keelson::tool
