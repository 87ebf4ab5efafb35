/* SPDX-License-Identifier: MIT
 *
 * mbedTLS's SHA-1 for firmware (hardware ids). Included here rather than listed in the subproject:
 * its list is copied when the sources are unpacked, so a checkout from before would keep the old one.
 */
#include "sha1.c"
