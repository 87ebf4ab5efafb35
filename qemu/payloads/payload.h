// SPDX-License-Identifier: MIT
// What payloads share: the serial port, the lines of the report that qemu/guest.py reads, and the
// time stamp counter. Payloads are tiny EFI applications of the QEMU scenarios; they use none of
// the product's code, so that they cannot share its mistakes.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <efi.h>
}

namespace payload {

inline uint64_t ticks() {
  uint32_t low = 0, high = 0;
  asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
  return uint64_t{high} << 32 | low;
}

// Straight to the first serial port: the firmware's console would draw on the screen and wrap
// lines.
inline void put(char c) {
  constexpr uint16_t port = 0x3f8;
  uint8_t status = 0;
  do asm volatile("inb %1, %0" : "=a"(status) : "Nd"(static_cast<uint16_t>(port + 5)));
  while ((status & 0x20) == 0);
  asm volatile("outb %0, %1" : : "a"(c), "Nd"(port));
}

inline void put(const char* text) {
  for (; *text != 0; ++text) put(*text);
}

inline void put_number(uint64_t value, unsigned base = 10) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count > 0) put(digits[--count]);
}

inline void put_base64(const void* data, uint64_t size) {
  constexpr const char* alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (uint64_t at = 0; at < size; at += 3) {
    const auto left = size - at;
    const uint32_t group = uint32_t{bytes[at]} << 16 |
                           (left > 1 ? uint32_t{bytes[at + 1]} << 8 : 0) |
                           (left > 2 ? uint32_t{bytes[at + 2]} : 0);
    put(alphabet[group >> 18]);
    put(alphabet[group >> 12 & 63]);
    put(left > 1 ? alphabet[group >> 6 & 63] : '=');
    put(left > 2 ? alphabet[group & 63] : '=');
  }
}

// Lines of the report; the last one says how many there were.
class Report {
 public:
  Report() { line("begin"), put('1'), end_line(); }
  void line(const char* kind) {
    ++lines_;
    put("\n@report ");
    put(kind);
    put(' ');
  }
  void end_line() { put('\n'); }
  void number(const char* kind, uint64_t value) { line(kind), put_number(value), end_line(); }
  void finish() { line("end"), put_number(lines_), end_line(); }

 private:
  uint64_t lines_ = 0;
};

// True if the text has `word` at its beginning, followed by a space or the end.
inline bool begins_with(const CHAR16* text, const char* word) {
  if (text == nullptr) return false;
  for (; *word != 0; ++word, ++text)
    if (*text != static_cast<CHAR16>(*word)) return false;
  return *text == 0 || *text == ' ';
}

inline CHAR16* name(const char16_t* text) {
  return reinterpret_cast<CHAR16*>(const_cast<char16_t*>(text));
}

// Pages that nobody has, as the memory map says; 0 if the firmware does not tell.
inline uint64_t free_pages(EFI_SYSTEM_TABLE* table) {
  static uint8_t map[65536];
  UINTN size = sizeof(map), key = 0, each = 0;
  UINT32 version = 0;
  if (table->BootServices->GetMemoryMap(&size, reinterpret_cast<EFI_MEMORY_DESCRIPTOR*>(map), &key,
                                        &each, &version) != EFI_SUCCESS)
    return 0;
  uint64_t pages = 0;
  for (UINTN at = 0; at + each <= size; at += each) {
    const auto* entry = reinterpret_cast<const EFI_MEMORY_DESCRIPTOR*>(map + at);
    if (entry->Type == EfiConventionalMemory) pages += entry->NumberOfPages;
  }
  return pages;
}

inline EFI_GUID bench_vendor = {
    0x1f0c6d2a, 0x7c0e, 0x4a0f, {0x9b, 0x8f, 0x3f, 0x0e, 0x55, 0x1a, 0x5e, 0x77}};

}  // namespace payload

// The compiler calls these. A payload is one translation unit, so they are defined here.
extern "C" {
__attribute__((used)) void* memset(void* target, int value, size_t size) {
  auto* at = target;
  asm volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
  return target;
}
__attribute__((used)) void* memcpy(void* target, const void* source, size_t size) {
  auto* at = target;
  asm volatile("rep movsb" : "+D"(at), "+S"(source), "+c"(size) : : "memory");
  return target;
}
}
