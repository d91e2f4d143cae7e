#include "CDigests.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <cpuid.h>

// V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009): a sum of 128
// bits is carried over the bytes that follow by two multiplications without carry. The constants are those of its
// section on the reflected polynomial of RFC 1952.

int cdigests_folds_crc(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_PCLMUL) && (c & bit_SSE4_1);
}

__attribute__((target("pclmul,sse4.1")))
static __m128i carried(__m128i sum, __m128i constants) {
    return _mm_xor_si128(_mm_clmulepi64_si128(sum, constants, 0x00), _mm_clmulepi64_si128(sum, constants, 0x11));
}

__attribute__((target("pclmul,sse4.1")))
struct cdigests_rest cdigests_fold_crc(uint32_t crc, const uint8_t *bytes, size_t blocks) {
    const __m128i over64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
    const __m128i over16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
    __m128i sums[4];
    for (int i = 0; i < 4; i++) sums[i] = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
    sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128((int)crc));
    while (--blocks > 0) {
        bytes += 64;
        for (int i = 0; i < 4; i++)
            sums[i] = _mm_xor_si128(carried(sums[i], over64), _mm_loadu_si128((const __m128i *)(bytes + 16 * i)));
    }
    __m128i sum = sums[0];
    for (int i = 1; i < 4; i++) sum = _mm_xor_si128(carried(sum, over16), sums[i]);
    const struct cdigests_rest rest = {
        (uint64_t)_mm_extract_epi64(sum, 0), (uint64_t)_mm_extract_epi64(sum, 1),
    };
    return rest;
}

#else

int cdigests_folds_crc(void) { return 0; }

struct cdigests_rest cdigests_fold_crc(uint32_t crc, const uint8_t *bytes, size_t blocks) {
    (void)crc, (void)bytes, (void)blocks;
    const struct cdigests_rest rest = {0, 0};
    return rest;
}

#endif
