// SPDX-License-Identifier: MIT
//
// Owns SHA-256 with the CPU's own instructions (x86 SHA extensions), which is about fifteen times
// as fast as portable code. Only for digest.cpp, which gives it the whole blocks of long inputs and
// leaves padding, and everything on other CPUs, to mbedTLS.
#pragma once

#include <cstdint>

#include "efi/base/bytes.h"

namespace keelson {

// Asks the CPU, which is slow in a virtual machine: once per hash, not per block.
bool has_sha256_instructions();
// Runs the compression function over `blocks`, a multiple of 64 bytes at any alignment. Does
// nothing to the state unless has_sha256_instructions().
void compress_sha256_blocks(std::span<std::uint32_t, 8> state, Bytes blocks);

}  // namespace keelson
