// SPDX-License-Identifier: MIT
//
// Owns Secure Boot signing of PE images, through sbsign.
#pragma once

#include <string>

#include "tools/keelson/host_file.h"

namespace CLI {
class App;
}

namespace keelson::tool {

struct SigningKey {
  std::string private_key;  // PEM files
  std::string certificate;
  bool given() const { return !private_key.empty() || !certificate.empty(); }
  // --secureboot-private-key= and --secureboot-certificate=
  void add_options(CLI::App& command);
  // Failure: only one half is given, or cannot be read.
  void check() const;
};

// The signed image. Failure: as check(); sbsign is missing or refuses.
Buffer sign_image(Bytes image, const SigningKey& key);

}  // namespace keelson::tool
