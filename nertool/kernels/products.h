/* Products of a few rows with a small matrix, which stays in the first-level cache: s = z M, or s += z M.

   z (n, H) is contiguous. The rows of M (H, K) are `apart` numbers apart. `columns` (K, H) is the transpose
   of M. The rows of s (n, K) are `stride` numbers apart.

   As many columns are computed at a time as a register holds; the remaining ones are dot products. The
   order of each sum depends only on K and on the processor's registers, not on n. */

#ifndef NERTOOL_PRODUCTS_H
#define NERTOOL_PRODUCTS_H

#include "registers.h"
#include "rows.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

struct matrix {
    const float *rows, *columns;
    int64_t H, K, apart;
};

enum { TOKENS = 8 /* tokens whose sums are in registers at the same time */ };

#define TILE_OF(n, VECTOR, MULTIPLY_ADD)                                                           \
    {                                                                                              \
        VECTOR sums[n];                                                                            \
        for (int t = 0; t < n; t++)                                                                \
            sums[t] = (VECTOR){0};                                                                 \
        for (int64_t j = 0; j < m->H; j++) {                                                       \
            VECTOR row = *(const VECTOR *)(M + j * m->apart);                                      \
            for (int t = 0; t < n; t++)                                                            \
                sums[t] = MULTIPLY_ADD(z[t * m->H + j], row, sums[t]);                             \
        }                                                                                          \
        for (int t = 0; t < n; t++) {                                                              \
            VECTOR *own = (VECTOR *)(s + t * stride);                                              \
            *own = add ? (VECTOR)(*own + sums[t]) : sums[t];                                       \
        }                                                                                          \
    }

/* Computes as many columns of the product as a VECTOR has numbers, beginning with column k. */
#define TILE(name, target, VECTOR, MULTIPLY_ADD)                                                   \
    target static inline void name(float *restrict s, int64_t stride, const float *restrict z,     \
                                   int64_t n, const struct matrix *m, int64_t k, int add)          \
    {                                                                                              \
        const float *restrict M = m->rows + k;                                                     \
        s += k;                                                                                    \
        for (; n >= TOKENS; n -= TOKENS, s += TOKENS * stride, z += TOKENS * m->H)                 \
            TILE_OF(TOKENS, VECTOR, MULTIPLY_ADD)                                                  \
        for (; n > 0; n--, s += stride, z += m->H)                                                 \
            TILE_OF(1, VECTOR, MULTIPLY_ADD)                                                       \
    }

/* Computes one column of the product. */
#define DOTS(name, target, VECTOR, MULTIPLY_ADD)                                                   \
    target static inline void name(float *restrict s, int64_t stride, const float *restrict z,     \
                                   int64_t n, const struct matrix *m, int64_t k, int add)          \
    {                                                                                              \
        enum { WIDTH = sizeof(VECTOR) / sizeof(float) };                                           \
        const float *restrict column = m->columns + k * m->H;                                      \
        for (s += k; n > 0; n--, s += stride, z += m->H) {                                         \
            VECTOR sums = {0};                                                                     \
            int64_t j = 0;                                                                         \
            for (; j + WIDTH <= m->H; j += WIDTH)                                                  \
                sums = MULTIPLY_ADD(*(const VECTOR *)(z + j), *(const VECTOR *)(column + j), sums); \
            four all = {0};                                                                        \
            for (int lane = 0; lane < WIDTH; lane += 4)                                            \
                all += ((const four *)&sums)[lane / 4];                                            \
            float sum = (all[0] + all[2]) + (all[1] + all[3]);                                     \
            for (; j < m->H; j++)                                                                  \
                sum += z[j] * column[j];                                                           \
            *s = add ? *s + sum : sum;                                                             \
        }                                                                                          \
    }

#define PLAIN(a, b, c) ((a) * (b) + (c))
TILE(tile_plain, , four, PLAIN)
DOTS(dots_plain, , four, PLAIN)

static void product_plain(float *restrict s, int64_t stride, const float *restrict z,
                                 int64_t n, const struct matrix *m, int add)
{
    int64_t k = 0;
    for (; k + 4 <= m->K; k += 4)
        tile_plain(s, stride, z, n, m, k, add);
    for (; k < m->K; k++)
        dots_plain(s, stride, z, n, m, k, add);
}

#ifdef __x86_64__
#define FUSED_4(a, b, c) ((four)_mm_fmadd_ps(_mm_set1_ps(a), (__m128)(b), (__m128)(c)))
#define FUSED_8(a, b, c) ((eight)_mm256_fmadd_ps(_mm256_set1_ps(a), (__m256)(b), (__m256)(c)))
#define DOTTED_8(a, b, c) ((eight)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
TILE(tile_4, TARGET_AVX2, four, FUSED_4)
TILE(tile_8, TARGET_AVX2, eight, FUSED_8)
DOTS(dots_8, TARGET_AVX2, eight, DOTTED_8)

TARGET_AVX2 static void product_avx2(float *restrict s, int64_t stride,
                                            const float *restrict z, int64_t n,
                                            const struct matrix *m, int add)
{
    int64_t k = 0;
    for (; k + 8 <= m->K; k += 8)
        tile_8(s, stride, z, n, m, k, add);
    for (; k + 4 <= m->K; k += 4)
        tile_4(s, stride, z, n, m, k, add);
    for (; k < m->K; k++)
        dots_8(s, stride, z, n, m, k, add);
}

#define FUSED_16(a, b, c) ((sixteen)_mm512_fmadd_ps(_mm512_set1_ps(a), (__m512)(b), (__m512)(c)))
#define DOTTED_16(a, b, c) ((sixteen)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
TILE(tile_16, TARGET_AVX512, sixteen, FUSED_16)
DOTS(dots_16, TARGET_AVX512, sixteen, DOTTED_16)

TARGET_AVX512 static void product_avx512(float *restrict s, int64_t stride,
                                                const float *restrict z, int64_t n,
                                                const struct matrix *m, int add)
{
    int64_t k = 0;
    for (; k + 16 <= m->K; k += 16)
        tile_16(s, stride, z, n, m, k, add);
    for (; k + 8 <= m->K; k += 8)
        tile_8(s, stride, z, n, m, k, add);
    for (; k + 4 <= m->K; k += 4)
        tile_4(s, stride, z, n, m, k, add);
    for (; k < m->K; k++)
        dots_16(s, stride, z, n, m, k, add);
}
#endif

#endif
