// SPDX-License-Identifier: MIT
// C header of the freestanding build: what efi/runtime/memory.cpp defines.
#ifndef KEELSON_C_STRING_H
#define KEELSON_C_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
void* memcpy(void* to, const void* from, size_t size);
void* memmove(void* to, const void* from, size_t size);
void* memset(void* to, int value, size_t size);
int memcmp(const void* left, const void* right, size_t size);
void* memchr(const void* in, int value, size_t size);
size_t strlen(const char* text);
#ifdef __cplusplus
}
#endif

// Declared for libc++'s <cstring>, defined nowhere: a use fails at the link.
#ifdef __cplusplus
extern "C" {
#endif
char* strcpy(char* to, const char* from);
char* strncpy(char* to, const char* from, size_t size);
char* strcat(char* to, const char* from);
char* strncat(char* to, const char* from, size_t size);
int strcmp(const char* left, const char* right);
int strncmp(const char* left, const char* right, size_t size);
int strcoll(const char* left, const char* right);
size_t strxfrm(char* to, const char* from, size_t size);
char* strchr(const char* in, int value);
size_t strcspn(const char* in, const char* set);
char* strpbrk(const char* in, const char* set);
char* strrchr(const char* in, int value);
size_t strspn(const char* in, const char* set);
char* strstr(const char* in, const char* what);
char* strtok(char* in, const char* set);
char* strerror(int code);
#ifdef __cplusplus
}
#endif

#endif
