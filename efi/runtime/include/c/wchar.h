// SPDX-License-Identifier: MIT
// C header of the freestanding build: types that libc++ headers mention.
#ifndef KEELSON_C_WCHAR_H
#define KEELSON_C_WCHAR_H

#include <bits/types/mbstate_t.h>
#include <stddef.h>

typedef unsigned short wint_t;

#define WEOF ((wint_t)0xffff)

#endif
