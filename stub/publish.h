// SPDX-License-Identifier: MIT
//
// Owns writing the variables that the plan lists. Which and with what content is plan.h's.
#pragma once

#include <span>

#include "efi/firmware/variables.h"
#include "stub/plan.h"

namespace keelson::stub {

// Writes all, also past failures. Error: the first failure.
Result<> publish(const efi::Variables& to, std::span<const Variable> variables);

}  // namespace keelson::stub
