// SPDX-License-Identifier: MIT
// C header of the freestanding build. There is no heap; everything but abort() is
// declared for libc++'s <cstdlib> and defined nowhere: a use fails at the link.
#ifndef KEELSON_C_STDLIB_H
#define KEELSON_C_STDLIB_H

#include <stddef.h>

typedef struct {
  int quot, rem;
} div_t;
typedef struct {
  long quot, rem;
} ldiv_t;
typedef struct {
  long long quot, rem;
} lldiv_t;

#ifdef __cplusplus
extern "C" {
#endif
// Last words, then back to whoever started this program (efi/runtime/abort.cpp).
[[noreturn]] void abort(void);

double atof(const char* text);
int atoi(const char* text);
long atol(const char* text);
long long atoll(const char* text);
double strtod(const char* text, char** end);
float strtof(const char* text, char** end);
long double strtold(const char* text, char** end);
long strtol(const char* text, char** end, int base);
long long strtoll(const char* text, char** end, int base);
unsigned long strtoul(const char* text, char** end, int base);
unsigned long long strtoull(const char* text, char** end, int base);
int rand(void);
void srand(unsigned seed);
void* malloc(size_t size);
void* calloc(size_t count, size_t size);
void* realloc(void* old, size_t size);
void free(void* old);
int atexit(void (*function)(void));
[[noreturn]] void exit(int status);
[[noreturn]] void _Exit(int status);
char* getenv(const char* name);
int system(const char* command);
void* bsearch(const void* key, const void* base, size_t count, size_t size,
              int (*compare)(const void*, const void*));
void qsort(void* base, size_t count, size_t size, int (*compare)(const void*, const void*));
int abs(int value);
long labs(long value);
long long llabs(long long value);
div_t div(int left, int right);
ldiv_t ldiv(long left, long right);
lldiv_t lldiv(long long left, long long right);
#ifdef __cplusplus
}
#endif

#endif
