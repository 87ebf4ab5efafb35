// SPDX-License-Identifier: MIT
//
// Owns the test for a confidential VM (stub.md 3.5): a guest whose host must not be believed, so
// that what it passes is input of an attacker. One file per architecture implements it; the
// simulation of the host tests brings its own.
#pragma once

namespace keelson::stub {

bool in_confidential_vm();

}  // namespace keelson::stub
