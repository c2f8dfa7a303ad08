/* From scores to probabilities and back, and consistency within a document: see decoding/adjust.py.
   decoding.py has the calls. The code is C99 with the vector types of GCC and Clang. */

#include <stdint.h>
#include <string.h>

#include "registers.h"

typedef int32_t whole __attribute__((vector_size(64), aligned(4), may_alias));

enum { WIDE = 16, SOME = 64 /* tokens at a time, whose scores stay in the first-level cache */ };

#define CONVERTED(x, type) __builtin_convertvector(x, type)

/* Sets p[i] = e^p[i] for i < 16, where p[i] <= 0, and 0 for p[i] < -87. With x = n ln 2 + r, e^x is 2^n e^r,
   and e^r is a polynomial (Cephes, expf). The error is at most 2 units in the last place. NaN stays NaN. */
static inline __attribute__((always_inline)) void exponential(float *p)
{
    const float beyond = 12582912.0f; /* 1.5 * 2^23: floats of this size are integers, so adding it rounds */
    sixteen x = *(const sixteen *)p;
    whole tiny = x < -87.0f;
    x = (sixteen)((whole)x & ~tiny);
    sixteen n = (x * 1.44269504088896341f + beyond) - beyond;
    sixteen r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    sixteen y = r * 1.9875691500e-4f + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * (r * r) + r + 1.0f;
    whole power = (CONVERTED(n, whole) + 127) << 23;
    *(sixteen *)p = (sixteen)((whole)(y * (sixteen)power) & ~tiny);
}

static const float least = 0x1p-126f;

/* Sets p[i] = ln(p[i] + least) for i < 16, where p[i] >= 0. With x = 2^n m, ln x is n ln 2 + ln m, and ln m
   is a polynomial (Cephes, logf) of m - 1, for m from sqrt(1/2) to sqrt(2). NaN stays NaN. */
static inline __attribute__((always_inline)) void logarithm(float *p)
{
    const int32_t root = 0x3F3504F3; /* the bits of sqrt(1/2) */
    sixteen x = *(const sixteen *)p + least;
    whole bits = (whole)x - root;
    sixteen n = CONVERTED(bits >> 23, sixteen);
    sixteen m = (sixteen)((bits & 0x007FFFFF) + root) - 1.0f;
    sixteen y = m * 7.0376836292e-2f - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    sixteen square = m * m;
    y = y * m * square + n * -2.12194440e-4f - 0.5f * square;
    *(sixteen *)p = (m + y) + n * 0.693359375f + x * 0.0f;
}

static inline __attribute__((always_inline)) float largest(const float *s, int64_t T)
{
    float most = s[0];
    for (int64_t k = 1; k < T; k++)
        most = s[k] > most ? s[k] : most;
    return most;
}

/* Applies a function for 16 numbers to all of p (n). */
#define EACH(function)                                                                             \
    {                                                                                              \
        int64_t i = 0;                                                                             \
        for (; i + WIDE <= n; i += WIDE)                                                           \
            function(p + i);                                                                       \
        if (i < n) {                                                                               \
            float rest[WIDE] = {0};                                                                \
            memcpy(rest, p + i, (size_t)(n - i) * sizeof *p);                                      \
            function(rest);                                                                        \
            memcpy(p + i, rest, (size_t)(n - i) * sizeof *p);                                      \
        }                                                                                          \
    }

static inline __attribute__((always_inline)) void exponentials(float *p, int64_t n)
EACH(exponential)

static inline __attribute__((always_inline)) void logarithms(float *p, int64_t n)
EACH(logarithm)

/* Writes the softmax of the scores s (tokens, T) to p. */
static inline __attribute__((always_inline)) void
probabilities(float *p, const float *s, int64_t tokens, int64_t T)
{
    for (; tokens > 0; tokens -= SOME, s += SOME * T, p += SOME * T) {
        int64_t some = tokens < SOME ? tokens : SOME, n = some * T;
        for (int64_t t = 0; t < some; t++) {
            float most = largest(s + t * T, T);
            for (int64_t k = 0; k < T; k++)
                p[t * T + k] = s[t * T + k] - most;
        }
        exponentials(p, n);
        for (int64_t t = 0; t < some; t++) {
            float *own = p + t * T, sum = 0;
            for (int64_t k = 0; k < T; k++)
                sum += own[k];
            for (int64_t k = 0; k < T; k++)
                own[k] /= sum;
        }
    }
}

/* Sets p[t] = (1 - a - a/(n-1)) p[t] + a/(n-1) * (the sum of p over the group) for each member t of a group
   of n. */
static inline __attribute__((always_inline)) void
blend(float *restrict p, int64_t T, const int64_t *restrict members, int64_t n, double a,
      double *restrict sums)
{
    double others = a / (double)(n - 1);
    float keep = (float)(1 - a - others);
    for (int64_t k = 0; k < T; k++)
        sums[k] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < T; k++)
            sums[k] += p[members[i] * T + k];
    for (int64_t k = 0; k < T; k++)
        sums[k] *= others;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < T; k++)
            p[members[i] * T + k] = keep * p[members[i] * T + k] + (float)sums[k];
}

/* agree: writes the logarithms of the blended probabilities of scores s (N, T) to out, which may be s.
   starts (D + 1): the starts of documents; members, sizes (G): the groups, in the order of documents, each in
   one document; sums (T): scratch memory. */
#define AGREEMENT(kind, target)                                                                    \
    target static void softmax_##kind(float *p, const float *s, int64_t N, int64_t T)              \
    {                                                                                              \
        probabilities(p, s, N, T);                                                                 \
    }                                                                                              \
                                                                                                   \
    target static void agree_##kind(float *out, const float *s, int64_t T, const int64_t *starts,  \
                                    int64_t D, const int64_t *members, const int64_t *sizes,       \
                                    int64_t G, double a, double *sums)                             \
    {                                                                                              \
        for (int64_t d = 0, g = 0; d < D; d++) {                                                   \
            int64_t first = starts[d], stop = starts[d + 1];                                       \
            softmax_##kind(out + first * T, s + first * T, stop - first, T);                       \
            for (; g < G && members[0] < stop; members += sizes[g++])                              \
                blend(out, T, members, sizes[g], a, sums);                                         \
            logarithms(out + first * T, (stop - first) * T);                                       \
        }                                                                                          \
    }

AGREEMENT(plain, )
#ifdef __x86_64__
AGREEMENT(avx2, TARGET_AVX2)
AGREEMENT(avx512, TARGET_AVX512)
#endif

/* Both functions call the version for this processor's registers. */
void softmax(float *p, const float *s, int64_t N, int64_t T)
{
#ifdef __x86_64__
    enum registers found = registers();
    if (found == AVX512)
        softmax_avx512(p, s, N, T);
    else if (found == AVX2)
        softmax_avx2(p, s, N, T);
    else
#endif
        softmax_plain(p, s, N, T);
}

void agree(float *out, const float *s, int64_t T, const int64_t *starts, int64_t D,
           const int64_t *members, const int64_t *sizes, int64_t G, double a, double *sums)
{
#ifdef __x86_64__
    enum registers found = registers();
    if (found == AVX512)
        agree_avx512(out, s, T, starts, D, members, sizes, G, a, sums);
    else if (found == AVX2)
        agree_avx2(out, s, T, starts, D, members, sizes, G, a, sums);
    else
#endif
        agree_plain(out, s, T, starts, D, members, sizes, G, a, sums);
}
