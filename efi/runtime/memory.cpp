// SPDX-License-Identifier: MIT
// Owns the memory functions that compilers call without being asked. String
// instructions instead of loops: a loop would be turned into a call of the very
// function it implements, and these are the fastest form that needs no SSE.
// The direction flag is clear on entry (UEFI 2.10, section 2.3.4.2).

#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
  void* const result = to;
#if defined(__x86_64__)
  std::size_t words = size / 8;
  std::size_t rest = size % 8;
  asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
#else
#error "memcpy is not written for this architecture"
#endif
  return result;
}

void* memmove(void* to, const void* from, std::size_t size) {
  const auto target = reinterpret_cast<std::uintptr_t>(to);
  const auto source = reinterpret_cast<std::uintptr_t>(from);
  if (target - source >= size)  // unsigned: also true for a target below the source
    return memcpy(to, from, size);
#if defined(__x86_64__)
  // Backwards: the odd bytes at the end, then words. Register pairs point at the last
  // element that is to be copied.
  auto* last_to = static_cast<unsigned char*>(to) + size - 1;
  const auto* last_from = static_cast<const unsigned char*>(from) + size - 1;
  std::size_t rest = size % 8;
  std::size_t words = size / 8;
  asm volatile(
      "std\n\t"
      "rep movsb\n\t"
      "subq $7, %0\n\t"
      "subq $7, %1\n\t"
      "movq %3, %2\n\t"
      "rep movsq\n\t"
      "cld"
      : "+D"(last_to), "+S"(last_from), "+c"(rest)
      : "r"(words)
      : "memory", "cc");
#endif
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  void* const result = to;
#if defined(__x86_64__)
  const std::uint64_t pattern = 0x0101010101010101u * static_cast<unsigned char>(value);
  std::size_t words = size / 8;
  std::size_t rest = size % 8;
  asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
  asm volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
#endif
  return result;
}

int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (; size >= 8; size -= 8, a += 8, b += 8) {
    std::uint64_t x, y;
    __builtin_memcpy(&x, a, 8);
    __builtin_memcpy(&y, b, 8);
    if (x != y) break;  // the bytes below say which is greater
  }
  for (; size != 0; --size, ++a, ++b)
    if (*a != *b) return *a < *b ? -1 : 1;
  return 0;
}

void* memchr(const void* in, int value, std::size_t size) {
  for (const auto* at = static_cast<const unsigned char*>(in); size != 0; --size, ++at)
    if (*at == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at);
  return nullptr;
}

std::size_t strlen(const char* text) {
  const char* end = text;
  while (*end != '\0') ++end;
  return static_cast<std::size_t>(end - text);
}

}  // extern "C"
