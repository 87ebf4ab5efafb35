// SPDX-License-Identifier: MIT
//
// Writes variables; see publish.h.
#include "stub/publish.h"

namespace keelson::stub {

Result<> publish(const efi::Variables& to, std::span<const Variable> variables) {
  Result<> first_failure;
  for (const Variable& variable : variables) {
    const Result<> written = to.set(variable.name, variable.value);
    if (!written.has_value() && first_failure.has_value()) first_failure = written;
  }
  return first_failure;
}

}  // namespace keelson::stub
