// SPDX-License-Identifier: MIT
//
// keelson measure calculate: PCR 11 of section files, as systemd-measure computes and prints it.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>

#include "efi/format/uki_sections.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_file.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct MeasureOptions {
  std::array<std::vector<std::string>, uki_sections.size()> files;  // by UkiSection
  PcrChoice pcrs;
  JsonForm json = JsonForm::off;
};

void calculate(const MeasureOptions& options) {
  if (options.files[static_cast<std::size_t>(UkiSection::kernel)].empty())
    throw Failure("measure calculate: no kernel is given; --linux=FILE is required");
  std::vector<Buffer> contents;
  MeasurementList list;
  for (const UkiSectionRow& section : uki_sections) {
    for (const std::string& path : options.files[static_cast<std::size_t>(section.id)]) {
      contents.push_back(read_file(path));
      or_fail(list.add_section(section.id, {.stored = contents.back()}), path);
    }
  }
  print_pcrs(replay_phases_of(list, options.pcrs), options.json);
}

}  // namespace

void add_measure(CLI::App& app) {
  const auto options = std::make_shared<MeasureOptions>();
  CLI::App* measure = app.add_subcommand("measure", "Compute the PCR 11 values of section files");
  measure->require_subcommand(1);
  measure->get_formatter()->label("SUBCOMMAND", "VERB");
  CLI::App* command = measure->add_subcommand("calculate", "Print the expected PCR 11 values");
  for (const UkiSectionRow& section : uki_sections) {
    if (!section.measured) continue;
    CLI::Option* option = command->add_option("--" + std::string(section.name.substr(1)),
                                              options->files[static_cast<std::size_t>(section.id)],
                                              "Content of section " + std::string(section.name));
    option->option_text("FILE")->allow_extra_args(false);
    if (!section.many) option->expected(1)->take_last();
  }
  options->pcrs.add_options(*command);
  add_json_option(*command, options->json);
  command->group("Verbs");
  command->callback([options] { calculate(*options); });
}

}  // namespace keelson::tool
