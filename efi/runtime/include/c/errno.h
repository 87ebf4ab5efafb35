// SPDX-License-Identifier: MIT
// C header of the freestanding build: the numbers libc++'s headers mention. There is no errno.
#ifndef KEELSON_C_ERRNO_H
#define KEELSON_C_ERRNO_H

#define EDOM 33
#define EILSEQ 84
#define ERANGE 34
#define EINVAL 22
#define EOVERFLOW 75

#endif
