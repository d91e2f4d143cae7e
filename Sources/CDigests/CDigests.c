#include "CDigests.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <cpuid.h>
#include <string.h>

// RFC 1321 (MD5), FIPS 180-4 (SHA-1, SHA-256). Each of the three waits for its own last step nearly all the time; here
// four steps of MD5 take turns with four or five of SHA-1 and four of SHA-256, so that the processor does one while it
// waits for another.

int cdigests_supported(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

static const uint32_t sha256_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// Left to itself, the compiler puts the steps of each digest together again, and adds in another order.
#define PINNED(x) __asm__ volatile("" : "+r"(x));
#define PINNED_VECTOR(x) __asm__ volatile("" : "+x"(x));
#define ROTATED(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define MD5_STEP(a, b, value, number, constant, shift) \
    a += words[number] + constant; \
    PINNED(a) \
    a += value; \
    a = ROTATED(a, shift) + b;
#define MD5_F(a, b, c, d, number, constant, shift) MD5_STEP(a, b, d ^ (b & (c ^ d)), number, constant, shift)
// The halves of G have no bit in common: added one after another, the one without `b` need not wait for it.
#define MD5_G(a, b, c, d, number, constant, shift) \
    a += c & ~d; \
    MD5_STEP(a, b, b & d, number, constant, shift)
#define MD5_H(a, b, c, d, number, constant, shift) MD5_STEP(a, b, b ^ (c ^ d), number, constant, shift)
#define MD5_I(a, b, c, d, number, constant, shift) MD5_STEP(a, b, c ^ (b | ~d), number, constant, shift)

// Four rounds; the words of the next ones are made in place of those of four groups ago.
#define SHA256_GROUP(g) { \
    if (g >= 4) \
        w[g & 3] = _mm_sha256msg2_epu32( \
            _mm_add_epi32( \
                _mm_sha256msg1_epu32(w[g & 3], w[(g + 1) & 3]), _mm_alignr_epi8(w[(g + 3) & 3], w[(g + 2) & 3], 4)), \
            w[(g + 3) & 3]); \
    const __m128i sum = _mm_add_epi32(w[g & 3], _mm_load_si128((const __m128i *)(sha256_constants + 4 * (g)))); \
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum); \
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E)); \
    PINNED_VECTOR(abef) \
}

#define SHA1_GROUP(g) { \
    if (g >= 4) \
        v[g & 3] = _mm_sha1msg2_epu32( \
            _mm_xor_si128(_mm_sha1msg1_epu32(v[g & 3], v[(g + 1) & 3]), v[(g + 2) & 3]), v[(g + 3) & 3]); \
    const __m128i next = g == 0 ? _mm_add_epi32(e, v[0]) : _mm_sha1nexte_epu32(before, v[g & 3]); \
    before = abcd; \
    abcd = _mm_sha1rnds4_epu32(abcd, next, (g) / 5); \
    PINNED_VECTOR(abcd) \
}

__attribute__((target("sha,sse4.1,ssse3")))
void cdigests_update(struct cdigests *state, const uint8_t *bytes, size_t blocks) {
    const __m128i reversed = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    const __m128i swapped = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    uint32_t a = state->md5[0], b = state->md5[1], c = state->md5[2], d = state->md5[3];
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state->sha1), 0x1B);
    __m128i e = _mm_set_epi32((int)state->sha1[4], 0, 0, 0);
    const uint32_t *h = state->sha256;
    __m128i abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    __m128i cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);

    for (; blocks > 0; blocks--, bytes += 64) {
        const uint32_t a0 = a, b0 = b, c0 = c, d0 = d;
        const __m128i abcd0 = abcd, e0 = e, abef0 = abef, cdgh0 = cdgh;
        __m128i before = abcd, v[4], w[4];
        uint32_t words[16];
        memcpy(words, bytes, sizeof words);
        for (int i = 0; i < 4; i++) {
            const __m128i part = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
            v[i] = _mm_shuffle_epi8(part, reversed);
            w[i] = _mm_shuffle_epi8(part, swapped);
        }
        MD5_F(a, b, c, d, 0, 0xd76aa478, 7)
        MD5_F(d, a, b, c, 1, 0xe8c7b756, 12)
        MD5_F(c, d, a, b, 2, 0x242070db, 17)
        MD5_F(b, c, d, a, 3, 0xc1bdceee, 22)
        SHA256_GROUP(0)
        SHA1_GROUP(0)
        MD5_F(a, b, c, d, 4, 0xf57c0faf, 7)
        MD5_F(d, a, b, c, 5, 0x4787c62a, 12)
        MD5_F(c, d, a, b, 6, 0xa8304613, 17)
        MD5_F(b, c, d, a, 7, 0xfd469501, 22)
        SHA256_GROUP(1)
        SHA1_GROUP(1)
        MD5_F(a, b, c, d, 8, 0x698098d8, 7)
        MD5_F(d, a, b, c, 9, 0x8b44f7af, 12)
        MD5_F(c, d, a, b, 10, 0xffff5bb1, 17)
        MD5_F(b, c, d, a, 11, 0x895cd7be, 22)
        SHA256_GROUP(2)
        SHA1_GROUP(2)
        MD5_F(a, b, c, d, 12, 0x6b901122, 7)
        MD5_F(d, a, b, c, 13, 0xfd987193, 12)
        MD5_F(c, d, a, b, 14, 0xa679438e, 17)
        MD5_F(b, c, d, a, 15, 0x49b40821, 22)
        SHA256_GROUP(3)
        SHA1_GROUP(3)
        SHA1_GROUP(4)
        MD5_G(a, b, c, d, 1, 0xf61e2562, 5)
        MD5_G(d, a, b, c, 6, 0xc040b340, 9)
        MD5_G(c, d, a, b, 11, 0x265e5a51, 14)
        MD5_G(b, c, d, a, 0, 0xe9b6c7aa, 20)
        SHA256_GROUP(4)
        SHA1_GROUP(5)
        MD5_G(a, b, c, d, 5, 0xd62f105d, 5)
        MD5_G(d, a, b, c, 10, 0x02441453, 9)
        MD5_G(c, d, a, b, 15, 0xd8a1e681, 14)
        MD5_G(b, c, d, a, 4, 0xe7d3fbc8, 20)
        SHA256_GROUP(5)
        SHA1_GROUP(6)
        MD5_G(a, b, c, d, 9, 0x21e1cde6, 5)
        MD5_G(d, a, b, c, 14, 0xc33707d6, 9)
        MD5_G(c, d, a, b, 3, 0xf4d50d87, 14)
        MD5_G(b, c, d, a, 8, 0x455a14ed, 20)
        SHA256_GROUP(6)
        SHA1_GROUP(7)
        MD5_G(a, b, c, d, 13, 0xa9e3e905, 5)
        MD5_G(d, a, b, c, 2, 0xfcefa3f8, 9)
        MD5_G(c, d, a, b, 7, 0x676f02d9, 14)
        MD5_G(b, c, d, a, 12, 0x8d2a4c8a, 20)
        SHA256_GROUP(7)
        SHA1_GROUP(8)
        SHA1_GROUP(9)
        MD5_H(a, b, c, d, 5, 0xfffa3942, 4)
        MD5_H(d, a, b, c, 8, 0x8771f681, 11)
        MD5_H(c, d, a, b, 11, 0x6d9d6122, 16)
        MD5_H(b, c, d, a, 14, 0xfde5380c, 23)
        SHA256_GROUP(8)
        SHA1_GROUP(10)
        MD5_H(a, b, c, d, 1, 0xa4beea44, 4)
        MD5_H(d, a, b, c, 4, 0x4bdecfa9, 11)
        MD5_H(c, d, a, b, 7, 0xf6bb4b60, 16)
        MD5_H(b, c, d, a, 10, 0xbebfbc70, 23)
        SHA256_GROUP(9)
        SHA1_GROUP(11)
        MD5_H(a, b, c, d, 13, 0x289b7ec6, 4)
        MD5_H(d, a, b, c, 0, 0xeaa127fa, 11)
        MD5_H(c, d, a, b, 3, 0xd4ef3085, 16)
        MD5_H(b, c, d, a, 6, 0x04881d05, 23)
        SHA256_GROUP(10)
        SHA1_GROUP(12)
        MD5_H(a, b, c, d, 9, 0xd9d4d039, 4)
        MD5_H(d, a, b, c, 12, 0xe6db99e5, 11)
        MD5_H(c, d, a, b, 15, 0x1fa27cf8, 16)
        MD5_H(b, c, d, a, 2, 0xc4ac5665, 23)
        SHA256_GROUP(11)
        SHA1_GROUP(13)
        SHA1_GROUP(14)
        MD5_I(a, b, c, d, 0, 0xf4292244, 6)
        MD5_I(d, a, b, c, 7, 0x432aff97, 10)
        MD5_I(c, d, a, b, 14, 0xab9423a7, 15)
        MD5_I(b, c, d, a, 5, 0xfc93a039, 21)
        SHA256_GROUP(12)
        SHA1_GROUP(15)
        MD5_I(a, b, c, d, 12, 0x655b59c3, 6)
        MD5_I(d, a, b, c, 3, 0x8f0ccc92, 10)
        MD5_I(c, d, a, b, 10, 0xffeff47d, 15)
        MD5_I(b, c, d, a, 1, 0x85845dd1, 21)
        SHA256_GROUP(13)
        SHA1_GROUP(16)
        MD5_I(a, b, c, d, 8, 0x6fa87e4f, 6)
        MD5_I(d, a, b, c, 15, 0xfe2ce6e0, 10)
        MD5_I(c, d, a, b, 6, 0xa3014314, 15)
        MD5_I(b, c, d, a, 13, 0x4e0811a1, 21)
        SHA256_GROUP(14)
        SHA1_GROUP(17)
        MD5_I(a, b, c, d, 4, 0xf7537e82, 6)
        MD5_I(d, a, b, c, 11, 0xbd3af235, 10)
        MD5_I(c, d, a, b, 2, 0x2ad7d2bb, 15)
        MD5_I(b, c, d, a, 9, 0xeb86d391, 21)
        SHA256_GROUP(15)
        SHA1_GROUP(18)
        SHA1_GROUP(19)
        a += a0, b += b0, c += c0, d += d0;
        e = _mm_sha1nexte_epu32(before, e0);
        abcd = _mm_add_epi32(abcd, abcd0);
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }

    state->md5[0] = a, state->md5[1] = b, state->md5[2] = c, state->md5[3] = d;
    _mm_storeu_si128((__m128i *)state->sha1, _mm_shuffle_epi32(abcd, 0x1B));
    state->sha1[4] = (uint32_t)_mm_extract_epi32(e, 3);
    uint32_t *out = state->sha256;
    out[0] = (uint32_t)_mm_extract_epi32(abef, 3), out[1] = (uint32_t)_mm_extract_epi32(abef, 2);
    out[4] = (uint32_t)_mm_extract_epi32(abef, 1), out[5] = (uint32_t)_mm_extract_epi32(abef, 0);
    out[2] = (uint32_t)_mm_extract_epi32(cdgh, 3), out[3] = (uint32_t)_mm_extract_epi32(cdgh, 2);
    out[6] = (uint32_t)_mm_extract_epi32(cdgh, 1), out[7] = (uint32_t)_mm_extract_epi32(cdgh, 0);
}

#else

int cdigests_supported(void) { return 0; }

void cdigests_update(struct cdigests *state, const uint8_t *bytes, size_t blocks) {
    (void)state, (void)bytes, (void)blocks;
}

#endif

void cdigests_start(struct cdigests *state) {
    static const struct cdigests start = {
        {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
        {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
        {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
    };
    *state = start;
}
