// SPDX-License-Identifier: MIT
// C header of the freestanding build: types that libc++ headers mention.
#ifndef KEELSON_C_TIME_H
#define KEELSON_C_TIME_H

#include <stddef.h>

typedef long long time_t;
typedef long long clock_t;
struct timespec {
  time_t tv_sec;
  long tv_nsec;
};
struct tm {
  int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
};

#define CLOCKS_PER_SEC 1000000

#ifdef __cplusplus
extern "C" {
#endif
clock_t clock(void);
double difftime(time_t end, time_t begin);
time_t mktime(struct tm* time);
time_t time(time_t* out);
char* asctime(const struct tm* time);
char* ctime(const time_t* time);
struct tm* gmtime(const time_t* time);
struct tm* localtime(const time_t* time);
size_t strftime(char* to, size_t size, const char* format, const struct tm* time);
int timespec_get(struct timespec* out, int base);
#ifdef __cplusplus
}
#endif

#endif
