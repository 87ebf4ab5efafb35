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

Result<> withdraw(const efi::Variables& from, std::span<const Variable> variables) {
  Result<> first_failure;
  for (const Variable& variable : variables) {
    if (!variable.of_this_image) continue;
    const Result<> removed = from.remove(variable.name);
    if (!removed.has_value() && first_failure.has_value()) first_failure = removed;
  }
  return first_failure;
}

}  // namespace keelson::stub
