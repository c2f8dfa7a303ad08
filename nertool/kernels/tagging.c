/* Inner loops of the tagger that numpy has no one call for; tagging.py says what each does.
   library.py has the signatures. tests/kernels hold each equal to the numpy code that it stands in for.

   Plain C99 and the vector type that GCC and Clang share. Nothing here allocates, keeps anything, or
   looks beyond what its arguments say. */

#include "rows.h"

/* What a token's side inputs add to its z, each part or nothing of it (see tagging/side.py).
   group (n,): the token's group g or -1; sums (groups, H), share (groups,). document (n,): its row of
   documents (.., H). opinion (n,): its row of opinions (.., H), counted from first_opinion, or -1.
   window (n,): its row of windows (.., H). */
struct side {
    const int32_t *group;
    const float *sums, *share;
    const int32_t *document;
    const float *documents;
    const int32_t *opinion;
    const float *opinions;
    const int32_t *window;
    const float *windows;
    int64_t first_opinion;
};

/* LINE numbers of a row at a time, as many as a cache line holds: one register of AVX-512, two of AVX2,
   four of SSE2 or NEON. The sums are taken in the same order in each. */
typedef float line __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t line_mask __attribute__((vector_size(64)));

enum { NEAR = 1 << 16 }; /* numbers of T that stay in a processor's second cache */

/* For each token i < n, with p = centres[i] + c - C/2 and g = group[i]:

   z_i = sum over c < C of T[rows[p], c] + windows[window[i]]                           (n, H)
         + share[g] (sums[g] - T[rows[centres[i] - 1], C] - T[rows[centres[i] + 1], C + 1])
         + documents[document[i]] + opinions[opinion[i]]

   and max(z_i, 0) where `positive`. T (rows, slices, H). */
static inline __attribute__((always_inline)) void
sum_windows(float *restrict z, const float *restrict T, const int32_t *restrict rows,
            const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices, int64_t H,
            int32_t positive, const struct side *restrict side)
{
    const float *row[POSITIONS + 1];
    for (int64_t i = 0; i < n; i++) {
        /* The first rows are those of frequent words: they are near already. */
        int64_t later = rows[centres[i + AHEAD < n ? i + AHEAD : i] + C / 2] * slices * H;
        for (int64_t k = 0; later > NEAR && k < slices * H; k += LINE)
            __builtin_prefetch(T + later + k, 0, 2);
        for (int64_t c = 0; c < C; c++) {
            int64_t p = centres[i] + c - C / 2;
            row[c] = T + (rows[p] * slices + c) * H;
        }
        int64_t terms = C;
        if (side->window)
            row[terms++] = side->windows + side->window[i] * H;
        int64_t g = side->group ? side->group[i] : -1;
        const float *all = 0, *left = 0, *right = 0, *document = 0, *opinion = 0;
        float share = 0;
        if (g >= 0) {
            all = side->sums + g * H, share = side->share[g];
            left = T + ((rows[centres[i] - 1] + 1) * slices - 2) * H;
            right = T + ((rows[centres[i] + 1] + 1) * slices - 1) * H;
        }
        if (side->document)
            document = side->documents + side->document[i] * H;
        if (side->opinion && side->opinion[i] >= 0)
            opinion = side->opinions + (side->opinion[i] - side->first_opinion) * H;
        float *restrict own = z + i * H;
        int64_t j = 0;
        for (; j + LINE <= H; j += LINE) {
            line sum = *(const line *)(row[0] + j);
            for (int64_t r = 1; r < terms; r++)
                sum += *(const line *)(row[r] + j);
            if (all)
                sum += share * (*(const line *)(all + j) - *(const line *)(left + j) -
                                *(const line *)(right + j));
            if (document)
                sum += *(const line *)(document + j);
            if (opinion)
                sum += *(const line *)(opinion + j);
            if (positive) /* what is no number stays as it is */
                sum = (line)((line_mask)sum & ~(line_mask)(sum < (line){0}));
            *(line *)(own + j) = sum;
        }
        for (; j < H; j++) {
            float sum = row[0][j];
            for (int64_t r = 1; r < terms; r++)
                sum += row[r][j];
            if (all)
                sum += share * (all[j] - left[j] - right[j]);
            if (document)
                sum += document[j];
            if (opinion)
                sum += opinion[j];
            own[j] = positive && sum < 0 ? 0 : sum;
        }
    }
}

#define WINDOW_SUMS(name)                                                                          \
    static void name(float *restrict z, const float *restrict T, const int32_t *restrict rows,     \
                     const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices,        \
                     int64_t H, int32_t positive, const struct side *restrict side)                \
    {                                                                                              \
        sum_windows(z, T, rows, centres, n, C, slices, H, positive, side);            \
    }

WINDOW_SUMS(window_sums_plain)
#ifdef __x86_64__
__attribute__((target("avx2"))) WINDOW_SUMS(window_sums_avx2)
__attribute__((target("avx512f"))) WINDOW_SUMS(window_sums_avx512)
#endif

/* Calls the one for this processor's registers. */
void window_sums(float *restrict z, const float *restrict T, const int32_t *restrict rows,
                 const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices, int64_t H,
                 int32_t positive, const struct side *restrict side)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        window_sums_avx512(z, T, rows, centres, n, C, slices, H, positive, side);
    else if (__builtin_cpu_supports("avx2"))
        window_sums_avx2(z, T, rows, centres, n, C, slices, H, positive, side);
    else
#endif
        window_sums_plain(z, T, rows, centres, n, C, slices, H, positive, side);
}

/* In each column of p (N, T; a column in one piece), a member of a group of n gets
   (1 - a - a/(n-1)) its own + a/(n-1) the group's sum. */
void blend_groups(float *restrict p, int64_t N, int64_t T, const int64_t *restrict members,
                  const int64_t *restrict sizes, int64_t groups, double a)
{
    for (float *column = p; column < p + N * T; column += N) {
        const int64_t *own = members;
        for (int64_t g = 0; g < groups; own += sizes[g++]) {
            double others = a / (double)(sizes[g] - 1), sum = 0;
            for (int64_t i = 0; i < sizes[g]; i++)
                sum += column[own[i]];
            float keep = (float)(1 - a - others), share = (float)(others * sum);
            for (int64_t i = 0; i < sizes[g]; i++)
                column[own[i]] = keep * column[own[i]] + share;
        }
    }
}
