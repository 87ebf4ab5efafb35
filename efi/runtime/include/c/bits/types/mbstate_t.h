// SPDX-License-Identifier: MIT
// C header of the freestanding build: where libc++ looks for mbstate_t.
#ifndef KEELSON_C_MBSTATE_T_H
#define KEELSON_C_MBSTATE_T_H

typedef struct {
  int unused;
} mbstate_t;

#endif
