// SPDX-License-Identifier: MIT
//
// Printing of the tool.
#include "tools/keelson/output.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"

namespace keelson::tool {
namespace {

bool quiet_messages = false;

bool coloured() {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
}

// Names of files may hold line ends and worse.
void print_message(const std::string& before, std::string_view text) {
  const std::string line = before + printable(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void print_json(const Json& value, JsonForm form) {
  // Names on a disk may be any bytes: what is not UTF-8 is shown as U+FFFD, not refused.
  const std::string text =
      value.dump(form == JsonForm::pretty ? 2 : -1, ' ', false, Json::error_handler_t::replace) +
      "\n";
  print_text(text);
}

void print_text(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Failure("standard output: cannot write");
}

void warn(std::string_view text) {
  print_message(coloured() ? "keelson: \033[1;33mwarning: \033[0m" : "keelson: warning: ", text);
}
void note(std::string_view text) {
  if (!quiet_messages) print_message("", text);
}
void set_quiet(bool quiet) { quiet_messages = quiet; }
void print_failure(std::string_view text) { print_message("keelson: ", text); }

}  // namespace keelson::tool
