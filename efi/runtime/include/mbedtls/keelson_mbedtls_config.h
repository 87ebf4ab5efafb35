// SPDX-License-Identifier: MIT
// mbedTLS for firmware: only what is used. The host has its system's library.
#pragma once

#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_DEPRECATED_REMOVED
