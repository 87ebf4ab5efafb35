// SPDX-License-Identifier: MIT
//
// Owns how host-side writers fail: an Error, and the name of what it is about (a section, an
// input), so that a person gets ".sbat: larger than its room in the stub". TRY works on Outcome as
// on Result.
#pragma once

#include <expected>
#include <string>

#include "efi/base/error.h"

namespace keelson::linker {

struct Failure {
  Failure(const Error& cause) : error(cause) {}
  Failure(const Error& cause, std::string_view about) : error(cause), subject(about) {}

  Error error;
  std::string subject;  // empty: the image as a whole

  std::string text() const {
    return subject.empty() ? std::string(error.what) : subject + ": " + std::string(error.what);
  }
};

template <class T = void>
struct [[nodiscard]] Outcome : std::expected<T, Failure> {
  using std::expected<T, Failure>::expected;
};

inline std::unexpected<Failure> refuse(Errc code, std::string_view subject, std::string_view what) {
  return std::unexpected<Failure>(Failure(Error{code, what}, subject));
}

}  // namespace keelson::linker

namespace keelson {
// What TRY returns in functions that give an Outcome.
inline std::unexpected<linker::Failure> fail(const linker::Failure& failure) {
  return std::unexpected<linker::Failure>(failure);
}
}  // namespace keelson
