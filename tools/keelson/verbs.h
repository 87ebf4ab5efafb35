// SPDX-License-Identifier: MIT
//
// Owns the list of verbs. Each file of that name adds its subcommand, options and action; what goes
// wrong is a Failure.
#pragma once

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/keelson/output.h"
#include "tools/keelson/programs.h"

namespace keelson::tool {

void add_build(CLI::App& app);
void add_sign(CLI::App& app);
void add_inspect(CLI::App& app);
void add_install(CLI::App& app);  // install, update, remove, is-installed
void add_list(CLI::App& app);
void add_measure(CLI::App& app);
void add_predict(CLI::App& app);
void add_random_seed(CLI::App& app);

// --json=short|pretty|off and -j
inline void add_json_option(CLI::App& command, JsonForm& form) {
  command
      .add_option_function<std::string>(
          "--json",
          [&form](const std::string& text) {
            if (text == "short")
              form = JsonForm::brief;
            else if (text == "pretty")
              form = JsonForm::pretty;
            else if (text == "off" || text.empty())
              form = JsonForm::off;
            else
              throw CLI::ValidationError("--json=" + text, "is none of short, pretty, off");
          },
          "Print JSON: short, pretty or off")
      ->type_name("FORM");
  command.add_flag_callback(
      "-j", [&form] { form = ::isatty(STDOUT_FILENO) != 0 ? JsonForm::pretty : JsonForm::brief; },
      "Print JSON: pretty on a terminal, else short");
}

// --efi-arch=: refused unless it is an architecture of UEFI. `arch` holds the default.
inline void add_arch_option(CLI::App& command, std::string& arch, const std::string& help) {
  command.add_option("--efi-arch", arch, help + " (default: " + arch + ")")
      ->check([](const std::string& text) {
        return is_architecture(text) ? std::string() : text + " is no architecture of UEFI";
      })
      ->type_name("ARCH");
}

// An option that may repeat, one value each time, so that it never swallows a file name after it.
inline CLI::Option* add_repeatable(CLI::App& command, const std::string& name,
                                   std::vector<std::string>& values, const std::string& help,
                                   const std::string& type) {
  return command.add_option(name, values, help)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->option_text(type);
}

}  // namespace keelson::tool
