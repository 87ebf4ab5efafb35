// SPDX-License-Identifier: MIT
//
// keelson predict: the PCR values that a boot through our loader and stub will lead to, from the
// files alone: PCR 4 (the chain of images), 11 (the UKI, per boot phase), 12 (the parameters).
// Walks the same measurement lists as loader and stub, so prediction and measurement cannot differ.
#include <CLI/CLI.hpp>
#include <memory>

#include "efi/format/authenticode.h"
#include "efi/format/command_line.h"
#include "efi/format/uki.h"
#include "tools/keelson/esp_tree.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/loader_places.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct PredictOptions {
  std::string esp, boot, entry;   // an ESP tree and an entry's id, or
  std::string loader, uki, line;  // single files and the line an entry passes
  std::uint32_t profile = 0;
  bool secure_boot = false;
  PcrChoice pcrs;
  JsonForm json = JsonForm::off;
};

// What is started, how.
struct Chain {
  fs::path loader;  // empty: the firmware starts the UKI itself
  fs::path uki;
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

Chain chain_of_tree(EspTree& tree, const PredictOptions& options, TextArena& arena) {
  const Entry& entry = tree.entries().entries()[find_entry_or_fail(tree, options, arena)];
  if (entry.kind != EntryKind::uki && entry.kind != EntryKind::type2)
    throw Failure(utf8(entry.id) + ": is not a unified kernel image; only those are predicted");
  const LoaderPlaces places = loader_places(options.esp, native_arch());
  Chain chain{.loader = is_there(places.loader) ? places.loader : places.removable,
              .uki = tree.resolve(entry.source, entry.executable.text()),
              .options = entry.options,
              .options_implied = entry.options_implied,
              .profile = entry.profile};
  if (!options.loader.empty()) chain.loader = options.loader;
  if (!options.line.empty()) {
    chain.options = utf16(options.line, arena);
    chain.options_implied = false;
  }
  return chain;
}

// PCR 4 as firmware extends it (tools.md 5): the action, the separator, then every image started.
std::vector<PcrValue> predict_pcr4(const Chain& chain, const PcrChoice& choice) {
  const std::string_view action = "Calling EFI Application from Boot Option";
  const std::array<std::byte, 4> separator{};
  std::vector<fs::path> images;
  if (!chain.loader.empty()) images.push_back(chain.loader);
  images.push_back(chain.uki);
  std::vector<Buffer> contents;
  for (const fs::path& path : images) contents.push_back(read_file(path));

  std::vector<PcrValue> values;
  for (const HashAlgorithm bank : choice.chosen_banks()) {
    Digest value(bank);
    for (const Bytes event : {bytes_of(action), Bytes(separator)})
      value = or_fail(extend(value, or_fail(hash(bank, event), "PCR 4")), "PCR 4");
    for (std::size_t i = 0; i < images.size(); ++i) {
      const auto parts = or_fail(authenticode::hashed_bytes(contents[i]), images[i].string());
      Hasher hasher = or_fail(Hasher::start(bank), "PCR 4");
      for (const Bytes part : parts.items()) hasher.update(part);
      value = or_fail(extend(value, hasher.finish()), "PCR 4");
    }
    values.push_back({pcr::boot_loader_code, std::nullopt, value});
  }
  return values;
}

// PCR 12: what the loader passes, then what the stub makes of it.
void add_parameters(MeasurementList& list, const Chain& chain, const uki::Uki& uki,
                    const uki::Effective& sections, bool secure_boot, TextArena& arena) {
  const auto passed = or_fail(compose_load_options({.initrds = {},
                                                    .options = chain.options,
                                                    .implied = chain.options_implied,
                                                    .profile = chain.profile},
                                                   arena),
                              "load options");
  // A loader that starts the UKI measures what it passes; the firmware does not.
  if (passed && !chain.loader.empty()) or_fail(list.add_command_line(*passed), "PCR 12");
  const auto request = or_fail(
      parse_load_options(bytes_of(passed.value_or(std::u16string_view())), arena), "load options");
  or_fail(list.add_profile(request.profile), "PCR 12");

  LineFacts facts;
  facts.secure_boot = secure_boot;
  facts.passed = request.line;
  const auto cmdline = or_fail(uki.data(sections, UkiSection::cmdline), chain.uki.string());
  if (cmdline.size() != 0)
    facts.embedded = or_fail(normalise_utf8(cmdline.stored, arena), chain.uki.string());
  const BaseLine line = choose_base_line(facts);
  if (line.measured) or_fail(list.add_command_line(line.text), "PCR 12");
}

void predict(const PredictOptions& options) {
  if (options.esp.empty() == options.uki.empty())
    throw Failure("predict: give either --esp-path=DIRECTORY or --uki=FILE");
  TextArena arena;
  std::optional<EspTree> tree;
  Chain chain;
  if (!options.esp.empty()) {
    tree.emplace(options.esp, options.boot, native_arch());
    chain = chain_of_tree(*tree, options, arena);
  } else {
    chain = {.loader = options.loader,
             .uki = options.uki,
             .options = utf16(options.line, arena),
             .options_implied = options.line.empty(),
             .profile = options.profile};
  }
  const Buffer bytes = read_file(chain.uki);
  const auto uki = or_fail(uki::Uki::parse(bytes, pe::Layout::file, pe::Accept::any_machine),
                           chain.uki.string());
  const auto sections = uki.effective(or_fail(uki.profile(chain.profile), chain.uki.string()));
  MeasurementList list;
  or_fail(list.add_uki({uki, sections}), chain.uki.string());
  add_parameters(list, chain, uki, sections, options.secure_boot, arena);

  std::vector<PcrValue> values = predict_pcr4(chain, options.pcrs);
  for (auto& value : replay_phases_of(list, options.pcrs)) values.push_back(value);
  for (auto& value : replay_banks(list, pcr::kernel_parameters, options.pcrs))
    values.push_back(value);
  print_pcrs(values, options.json);
}

}  // namespace

void add_predict(CLI::App& app) {
  const auto options = std::make_shared<PredictOptions>();
  CLI::App* command =
      app.add_subcommand("predict", "Print the PCR 4, 11 and 12 values that a boot will have");
  const auto text = [&](const char* name, std::string& value, const char* help, const char* type) {
    command->add_option(name, value, help)->type_name(type);
  };
  text("--esp-path", options->esp, "Root of an EFI system partition", "DIR");
  text("--boot-path", options->boot, "Root of its XBOOTLDR partition", "DIR");
  text("--entry", options->entry, "Id of the entry on the ESP (default: the default one)", "ID");
  text("--uki", options->uki, "Predict this image instead of an entry", "FILE");
  text("--loader", options->loader, "Loader that starts it (default on an ESP: ours there)",
       "FILE");
  text("--options", options->line, "Line that the entry passes", "TEXT");
  command->add_option("--profile", options->profile, "Profile number")->type_name("N");
  command
      ->add_option("--secure-boot", options->secure_boot,
                   "Whether Secure Boot will be on (default: no)")
      ->type_name("BOOL");
  options->pcrs.add_options(*command);
  add_json_option(*command, options->json);
  command->callback([options] { predict(*options); });
}

}  // namespace keelson::tool
