// SPDX-License-Identifier: MIT
//
// keelson sign: gives finished EFI programs a Secure Boot signature, in place or as another file.
#include <CLI/CLI.hpp>
#include <memory>

#include "tools/keelson/failure.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/signing.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct SignOptions {
  std::vector<std::string> files;
  std::string output;
  SigningKey key;
};

void sign(const SignOptions& options) {
  if (!options.output.empty() && options.files.size() != 1)
    throw Failure("sign: --output= goes with one FILE");
  const std::vector<std::string> keys = {options.key.private_key, options.key.certificate};
  for (const std::string& path : options.files)
    refuse_as_output(options.output.empty() ? path : options.output, keys);
  for (const std::string& path : options.files) {
    const Buffer image = read_file(path);
    whole_image(image, path);
    const std::string target = options.output.empty() ? path : options.output;
    write_file(target, sign_image(image, options.key));
    note("Signed " + target + ".");
  }
}

}  // namespace

void add_sign(CLI::App& app) {
  const auto options = std::make_shared<SignOptions>();
  CLI::App* command = app.add_subcommand("sign", "Sign EFI programs for Secure Boot");
  command->add_option("FILE", options->files, "What to sign, in place unless --output= is given")
      ->option_text(" ")
      ->required();
  command->add_option("-o,--output", options->output, "Signed image to write (one FILE only)")
      ->type_name("FILE");
  options->key.add_options(*command);
  command->callback([options] { sign(*options); });
}

}  // namespace keelson::tool
