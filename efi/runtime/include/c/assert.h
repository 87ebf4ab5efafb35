// SPDX-License-Identifier: MIT
// C header of the freestanding build: a failed assertion ends the program with last words.
#undef assert
#ifdef NDEBUG
#define assert(expression) ((void)0)
#else
#ifdef __cplusplus
extern "C"
#endif
[[noreturn]] void keelson_check_failed(const char* message);
#define KEELSON_TO_STRING_(x) #x
#define KEELSON_TO_STRING(x) KEELSON_TO_STRING_(x)
#define assert(expression) \
  ((expression) ? (void)0  \
                : keelson_check_failed(__FILE__ ":" KEELSON_TO_STRING(__LINE__) ": " #expression))
#endif
