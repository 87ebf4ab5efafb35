// SPDX-License-Identifier: MIT
//
// Runs sbsign on a private copy of the image and reads the result back.
#include "tools/keelson/signing.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "efi/format/authenticode.h"
#include "tools/keelson/failure.h"

extern char** environ;

namespace keelson::tool {
namespace {

// Runs a program with its output collected in `log`; answers its exit status, 127 if not found.
int run_quietly(const std::vector<std::string>& words, const fs::path& log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return 127;
  if (error != 0) throw Failure(words[0] + ": cannot start: " + std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Failure(words[0] + ": lost while it ran");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string first_line(const Buffer& text) {
  const std::string_view all = text_of(text);
  return std::string(all.substr(0, all.find('\n')));
}

}  // namespace

Buffer sign_image(Bytes image, const SigningKey& key) {
  if (key.private_key.empty() || key.certificate.empty())
    throw Failure(
        "signing needs both --secureboot-private-key= and --secureboot-certificate=");
  read_file(key.private_key);  // a clear error before sbsign's
  read_file(key.certificate);
  const TemporaryDirectory directory;
  const fs::path input = directory.path() / "image";
  const fs::path output = directory.path() / "signed";
  const fs::path log = directory.path() / "log";
  write_new_file(input, image, 0600);
  const int status = run_quietly({"sbsign", "--key", key.private_key, "--cert", key.certificate,
                                  "--output", output.string(), input.string()},
                                 log);
  if (status == 127) throw Failure("sbsign: not found; install the package sbsigntool");
  if (status != 0)
    throw Failure("sbsign refused to sign with " + key.private_key + ": " +
                  first_line(read_file(log)));
  Buffer result = read_file(output);
  const Bytes table = or_fail(authenticode::certificate_table(result), "signed image");
  if (table.empty()) throw Failure("sbsign left the image without a signature");
  return result;
}

}  // namespace keelson::tool
