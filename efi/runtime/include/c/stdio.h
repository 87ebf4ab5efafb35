// SPDX-License-Identifier: MIT
// C header of the freestanding build: names that libc++ headers mention, none defined.
#ifndef KEELSON_C_STDIO_H
#define KEELSON_C_STDIO_H

#include <stddef.h>

#define EOF (-1)

typedef struct keelson_no_file FILE;
typedef long fpos_t;

#ifdef __cplusplus
extern "C" {
#endif
int remove(const char* path);
int rename(const char* from, const char* to);
#ifdef __cplusplus
}
#endif

#endif
