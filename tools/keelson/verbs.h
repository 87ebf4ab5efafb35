// SPDX-License-Identifier: MIT
//
// Owns the list of verbs. Each file of that name adds its subcommand, options and action; what goes
// wrong is a Failure.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/keelson/output.h"

namespace keelson::tool {

void add_build(CLI::App& app);
void add_sign(CLI::App& app);
void add_inspect(CLI::App& app);
void add_install(CLI::App& app);  // install, update, remove, is-installed
void add_list(CLI::App& app);
void add_measure(CLI::App& app);
void add_predict(CLI::App& app);

// --json=short|pretty|off
inline void add_json_option(CLI::App& command, JsonForm& form) {
  static const std::map<std::string, JsonForm> forms = {
      {"off", JsonForm::off}, {"short", JsonForm::brief}, {"pretty", JsonForm::pretty}};
  command.add_option("--json", form, "Print JSON: short, pretty or off")
      ->transform(CLI::Transformer(forms))
      ->type_name("FORM");
}

}  // namespace keelson::tool
