// SPDX-License-Identifier: MIT
//
// A Diagnostics that keeps what parsers report, for tests.
#pragma once

#include <string>
#include <vector>

#include "efi/base/diagnostics.h"

namespace keelson {

class RecordedDiagnostics final : public Diagnostics {
 public:
  struct Message {
    Severity severity;
    std::string text;
  };
  std::vector<Message> messages;

  std::size_t count(Severity severity) const {
    std::size_t count = 0;
    for (const auto& message : messages) count += message.severity == severity ? 1 : 0;
    return count;
  }

 private:
  void write(Severity severity, std::string_view message) override {
    messages.push_back({severity, std::string(message)});
  }
};

}  // namespace keelson
