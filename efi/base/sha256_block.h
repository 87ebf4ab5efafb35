// SPDX-License-Identifier: MIT
//
// Owns the two ways to run SHA-256 over one block: portable (mbedTLS's own code, sha256_portable.c)
// and with the CPU's SHA extensions (sha256_block_x64.cpp), and the choice between them. Firmware
// only: there mbedTLS calls out for each block (MBEDTLS_SHA256_PROCESS_ALT).
#pragma once

#include <cstddef>
#include <cstdint>

namespace keelson {

using Sha256State = std::uint32_t[8];

// Whether this CPU has what process_sha256_block_with_extensions uses.
bool has_sha256_extensions();
// One block of 64 bytes, at any alignment. Only if has_sha256_extensions().
void process_sha256_block_with_extensions(Sha256State& state, const unsigned char* block);

}  // namespace keelson
