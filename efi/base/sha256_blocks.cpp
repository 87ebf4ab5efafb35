// SPDX-License-Identifier: MIT
//
// SHA-256 by the x86 SHA extensions (Intel 64 and IA-32 Software Developer's Manual, volume
// 1, 5.18; FIPS 180-4, 6.2.2). The function attribute admits SSE here, in code that has none
// otherwise.
#include "efi/base/sha256_blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

namespace keelson {
namespace {

alignas(16) constexpr std::uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr unsigned cpuid_ssse3 = 1u << 9;    // leaf 1, ECX
constexpr unsigned cpuid_sse4_1 = 1u << 19;  // leaf 1, ECX
constexpr unsigned cpuid_sha = 1u << 29;     // leaf 7, EBX

}  // namespace

bool has_sha256_instructions() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((ecx & cpuid_ssse3) == 0 || (ecx & cpuid_sse4_1) == 0) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (ebx & cpuid_sha) != 0;
}

// The instructions keep the state as two registers, a b e f and c d g h (most significant first),
// do two rounds each, and make four words of the message schedule at a time.
__attribute__((target("sse4.1,sha"))) void compress_sha256_blocks(std::span<std::uint32_t, 8> state,
                                                                  Bytes blocks) {
  const __m128i byte_order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  auto* const words = reinterpret_cast<__m128i*>(state.data());
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);

  const std::byte* block = blocks.data();
  for (std::size_t left = blocks.size() / 64; left != 0; --left, block += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i schedule[4];
    for (int i = 0; i < 4; ++i)
      schedule[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + i),
                                     byte_order);

    // Unrolled so that `schedule` lives in registers.
#pragma clang loop unroll(full)
    for (int group = 0; group < 16; ++group) {
      const __m128i now = schedule[group & 3];
      const __m128i sums = _mm_add_epi32(
          now, _mm_load_si128(reinterpret_cast<const __m128i*>(round_constants) + group));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sums);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sums, 0x0E));
      if (group < 12) {  // the words 16 further on replace those just used
        const __m128i next = schedule[(group + 1) & 3];
        const __m128i third = schedule[(group + 2) & 3];
        const __m128i fourth = schedule[(group + 3) & 3];
        const __m128i partial =
            _mm_add_epi32(_mm_sha256msg1_epu32(now, next), _mm_alignr_epi8(fourth, third, 4));
        schedule[group & 3] = _mm_sha256msg2_epu32(partial, fourth);
      }
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }

  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace keelson

#else

namespace keelson {

bool has_sha256_instructions() { return false; }
void compress_sha256_blocks(std::span<std::uint32_t, 8> /*state*/, Bytes /*blocks*/) {}

}  // namespace keelson

#endif
