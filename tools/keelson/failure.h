// SPDX-License-Identifier: MIT
//
// Owns how the tool gives up: an exception that carries the one line a person reads, naming the
// file, what is wrong and, where there is one, the remedy. main() prints it and exits with 1.
#pragma once

#include <stdexcept>
#include <string>

#include "efi/base/diagnostics.h"

namespace keelson::tool {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "reason (malformed, at 0x40)"
inline std::string describe(const Error& error) {
  Line line;
  print(line, error);
  return std::string(line.text());
}

// The value of `result`, or Failure naming `subject`.
template <class T>
T or_fail(Result<T>&& result, const std::string& subject) {
  if (!result.has_value()) throw Failure(subject + ": " + describe(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace keelson::tool
