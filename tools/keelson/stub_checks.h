// SPDX-License-Identifier: MIT
//
// Owns asking, while an image is built, the parsers by which our stub and loader will read it: what
// they would not take is refused then, with the reason and a remedy. With another stub it is warned
// about, because that one may take it.
#pragma once

#include <string>

#include "efi/format/pe.h"
#include "tools/keelson/host_file.h"

namespace keelson::tool {

class StubChecks {
 public:
  // `stub` is what the image is made of. Failure: no PE image.
  StubChecks(Bytes stub, const std::string& path);

  // Each says where the content is from: a file, or an option. Empty content, which masks, passes.

  // It can be started as stub.md 7 does it. Failure in any case: no PE image, or a truncated one,
  // or one for another machine.
  void kernel(Bytes content, const std::string& from) const;
  void splash(Bytes content, const std::string& from) const;
  void device_tree(Bytes content, const std::string& from) const;
  // One that says which board it is for.
  void candidate_device_tree(Bytes content, const std::string& from) const;
  void hardware_ids(Bytes content, const std::string& from) const;
  void command_line(Bytes content, const std::string& from) const;
  // A text that menus show: an image with a longer one is not listed.
  void listed_text(Bytes content, const std::string& from) const;

 private:
  void limit(Bytes text, const std::string& from, const std::string& refusal) const;
  void object(const std::string& from, const std::string& reason, const std::string& remedy) const;

  std::string path_;
  pe::Machine machine_;
  bool ours_;
};

}  // namespace keelson::tool
