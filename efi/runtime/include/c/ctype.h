// SPDX-License-Identifier: MIT
// C header of the freestanding build: declared for libc++'s <cctype>, defined nowhere.
#ifndef KEELSON_C_CTYPE_H
#define KEELSON_C_CTYPE_H

#ifdef __cplusplus
extern "C" {
#endif
int isalnum(int c);
int isalpha(int c);
int isblank(int c);
int iscntrl(int c);
int isdigit(int c);
int isgraph(int c);
int islower(int c);
int isprint(int c);
int ispunct(int c);
int isspace(int c);
int isupper(int c);
int isxdigit(int c);
int tolower(int c);
int toupper(int c);
#ifdef __cplusplus
}
#endif

#endif
