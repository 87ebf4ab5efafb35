// SPDX-License-Identifier: MIT
//
// Owns the parts of an image that `keelson build` is told of: the options that name them, what they
// are if nobody says, and their bytes. What is made of them is linker/uki_builder.h's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linker/uki_builder.h"
#include "tools/keelson/host_file.h"

namespace CLI {
class App;
}

namespace keelson::tool {

class StubChecks;

// Owns the bytes of all inputs while UkiInputs borrows them.
class Inputs {
 public:
  Bytes keep(Buffer buffer) {
    kept_.push_back(std::make_unique<Buffer>(std::move(buffer)));
    return *kept_.back();
  }
  Bytes file(const std::string& path) { return keep(read_file(path)); }
  Bytes text(const std::string& argument) {
    if (argument.starts_with('@')) return file(argument.substr(1));
    return verbatim(argument);
  }
  // The content of `.initrd`. No file is kept beside it: they are what is large in an image.
  std::optional<Bytes> initrd(const std::vector<std::string>& paths);
  Bytes verbatim(std::string_view text) {
    const Bytes bytes = bytes_of(text);
    return keep(Buffer(bytes.begin(), bytes.end()));
  }
  // An option that was not given is absent.
  std::optional<Bytes> optional_file(const std::string& path) {
    return path.empty() ? std::nullopt : std::optional(file(path));
  }
  std::optional<Bytes> optional_text(const std::string& argument) {
    return argument.empty() ? std::nullopt : std::optional(text(argument));
  }

 private:
  std::vector<std::unique_ptr<Buffer>> kept_;
};

// A text is taken as it is, or read from the file FILE if it is "@FILE"; empty: not given.
struct ImageParts {
  std::string linux_file, microcode, splash, devicetree, pcrpkey, pcrsig, hwids, profile, stub,
      arch;
  std::optional<std::string> cmdline, uname;  // empty: none; in a profile, which masks the image's
  std::optional<std::string> os_release;      // unset: this machine's, for a UKI; empty: none
  std::vector<std::string> initrds, sbat, sections, profiles_to_join, devicetrees_auto, efifw;

  ImageParts();
  void add_options(CLI::App& command);
  void add_stub_options(CLI::App& command);

  // As ukify decides it: a `.profile` that nothing is joined to is a file to join later.
  linker::UkiKind kind() const;
  // Every file and directory that is named.
  std::vector<std::string> files() const;
  // Borrows from `inputs`. Failure: a file cannot be read, or is not what it should be; our stub
  // or loader would not take it (stub_checks.h).
  linker::UkiInputs read(Inputs& inputs) const;

 private:
  // Whether stub and loader take what was read. `os_release_used` is what counts for it.
  void check(const linker::UkiInputs& uki, const std::string& os_release_used,
             const StubChecks& checks) const;
};

}  // namespace keelson::tool
