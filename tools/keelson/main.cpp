// SPDX-License-Identifier: MIT
//
// keelson: the command line. Exit codes: 0 done, 1 refused or failed (one line on stderr says what
// and where), 2 the command line itself is wrong. A signal ends it as that signal.
#include <algorithm>
#include <filesystem>
#include <new>

#include "efi/format/identity.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/interruption.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

// "keelson measure calculate": how far the command line was understood.
std::string understood(const CLI::App& app) {
  std::string words = app.get_name();
  for (const CLI::App* verb = &app; !verb->get_subcommands().empty();) {
    verb = verb->get_subcommands().front();
    words += " " + verb->get_name();
  }
  return words;
}

int refuse_command_line(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining();
  std::string reason = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && reason.starts_with("A sub"))
    reason = unknown.empty() ? "no verb is given" : unknown.front() + ": no such verb";
  const std::string verb = understood(app);
  print_failure((verb == app.get_name() ? "" : verb.substr(app.get_name().size() + 1) + ": ") +
                reason + "; see " + verb + " --help");
  return 2;
}

// CLI11 takes the next word for the value of "--option=", which here is an empty one. It also wants
// the words in reverse.
std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words;
  bool options = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    options = options && word != "--";
    const bool empty_value = options && word.starts_with("--") && word.find('=') == word.size() - 1;
    words.push_back(empty_value ? word.substr(0, word.size() - 1) : word);
    if (empty_value) words.emplace_back();
  }
  std::ranges::reverse(words);
  return words;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Builds, installs, inspects and predicts the chain from UEFI firmware to a Linux kernel.",
      "keelson");
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  app.set_version_flag("--version", "keelson " + std::string(identity::version),
                       "Print the version and exit");
  app.require_subcommand(1);
  app.fallthrough();
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
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
  add_random_seed(app);
  for (CLI::App* verb : app.get_subcommands({})) verb->group("Verbs");
  try {
    app.parse(words_of(argc, argv));
  } catch (const CLI::RuntimeError& answer) {
    return answer.get_exit_code();  // a verb's own exit code
  } catch (const CLI::ParseError& error) {
    // Help and version arrive this way too, with code 0.
    return error.get_exit_code() == 0 ? app.exit(error) : refuse_command_line(app, error);
  }
  return 0;
}

}  // namespace
}  // namespace keelson::tool

int main(int argc, char** argv) {
  using namespace keelson::tool;
  watch_for_signals();
  try {
    return run(argc, argv);
  } catch (const Interrupted& interruption) {
    print_failure("interrupted; no file is half written");
    interruption.end_program();
  } catch (const std::filesystem::filesystem_error& error) {
    print_failure(error.path1().string() + ": " + error.code().message());
  } catch (const std::bad_alloc&) {
    print_failure("not enough memory");
  } catch (const std::exception& failure) {
    print_failure(failure.what());
  }
  return 1;
}
