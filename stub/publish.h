// SPDX-License-Identifier: MIT
//
// Owns writing and taking back the variables that are reports to user space. Which and with what
// content is reports.h's.
#pragma once

#include <span>

#include "efi/firmware/variables.h"
#include "stub/reports.h"

namespace keelson::stub {

// Writes all, also past failures. Error: the first failure.
Result<> publish(const efi::Variables& to, std::span<const Variable> variables);

// Deletes those that speak of this image (Variable::of_this_image), once its kernel has come back:
// what is started instead must not inherit them. Error: the first failure.
Result<> withdraw(const efi::Variables& from, std::span<const Variable> variables);

}  // namespace keelson::stub
