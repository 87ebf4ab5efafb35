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
      ->option_text("FORM");
}

// An option that may repeat, one value each time, so that it never swallows a file name after it.
inline CLI::Option* add_repeatable(CLI::App& command, const std::string& name,
                                   std::vector<std::string>& values, const std::string& help,
                                   const std::string& type) {
  return command.add_option(name, values, help)->allow_extra_args(false)->option_text(type);
}

}  // namespace keelson::tool
