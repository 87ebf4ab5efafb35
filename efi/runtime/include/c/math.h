// SPDX-License-Identifier: MIT
// C header of the freestanding build. Empty: firmware code has no floating point.
#ifndef KEELSON_C_MATH_H
#define KEELSON_C_MATH_H
#endif
