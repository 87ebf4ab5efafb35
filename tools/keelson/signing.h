// SPDX-License-Identifier: MIT
//
// Owns Secure Boot signing of PE images, through sbsign.
#pragma once

#include <string>

#include "tools/keelson/host_file.h"

namespace keelson::tool {

struct SigningKey {
  std::string private_key;  // PEM files
  std::string certificate;
  bool given() const { return !private_key.empty() || !certificate.empty(); }
};

// The signed image. Failure: only one half of the key is given, sbsign is missing or refuses.
Buffer sign_image(Bytes image, const SigningKey& key);

}  // namespace keelson::tool
