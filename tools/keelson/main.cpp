// SPDX-License-Identifier: MIT
//
// keelson: the command line. Exit codes: 0 done, 1 refused or failed (one line on stderr says what
// and where), 2 the command line itself is wrong.
#include "efi/format/identity.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

int run(int argc, char** argv) {
  CLI::App app(
      "Builds, installs, inspects and predicts the chain from UEFI firmware to a Linux kernel.",
      "keelson");
  app.set_version_flag("--version", "keelson " + std::string(identity::version));
  app.require_subcommand(1);
  app.fallthrough();
  bool quiet = false;
  app.add_flag("-q,--quiet", quiet, "Print warnings and errors only");
  app.parse_complete_callback([&quiet] { set_quiet(quiet); });
  add_build(app);
  add_sign(app);
  add_inspect(app);
  add_install(app);
  add_list(app);
  add_measure(app);
  add_predict(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& answer) {
    return answer.get_exit_code();  // a verb's own exit code
  } catch (const CLI::ParseError& error) {
    const auto unknown = app.remaining();
    if (app.get_subcommands().empty() && !unknown.empty()) {
      print_failure(unknown.front() + ": no such verb; keelson --help lists them");
      return 2;
    }
    // Help and version arrive this way too, with code 0.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace
}  // namespace keelson::tool

int main(int argc, char** argv) {
  try {
    return keelson::tool::run(argc, argv);
  } catch (const std::exception& failure) {
    keelson::tool::print_failure(failure.what());
    return 1;
  }
}
