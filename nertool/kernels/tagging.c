/* Inner loops of the tagger that would need several numpy calls. tagging.py describes each function, and
   library.py has its signature. tests/kernels check that each gives the same result as its numpy code.

   The code is C99 with the vector types of GCC and Clang. No function allocates memory, keeps state, or reads
   outside of its arguments. */

#include "products.h"

/* The parts of z that come from a token's side inputs (see tagging/side.py) and contexts. A part that is
   not used is NULL. group (n,): the token's group g or -1; sums (groups, H), share (groups,). document
   (n,): the token's row of documents (.., H). opinion (n,): the number of the token's opinion or -1; its
   row of opinions (.., H) is this number minus first_opinion. context: for each of `rows`, its row of
   contexts (.., C, H). */
struct side {
    const int32_t *group;
    const float *sums, *share;
    const int32_t *document;
    const float *documents;
    const int32_t *opinion;
    const float *opinions;
    const int32_t *context;
    const float *contexts;
    int64_t first_opinion;
};

/* A vector of LINE numbers, as many as a cache line holds: one register of AVX-512, two of AVX2, four of
   SSE2 or NEON. Sums are added up in the same order with all of these. */
typedef float line __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t line_mask __attribute__((vector_size(64)));

enum { NEAR = 1 << 16 }; /* the first numbers of T, which stay in the second-level cache */

/* The rows that are added up for one token. */
struct terms {
    const float *row[2 * POSITIONS], *all, *left, *right, *document, *opinion;
    float share;
};

/* Computes `several` vectors of LINE numbers of a token's z, from its j-th number on. */
static inline __attribute__((always_inline)) void
sum_lines(float *restrict z, const struct terms *restrict of, int64_t terms, int64_t j,
          int32_t positive, const int several)
{
    line sums[4];
    for (int l = 0; l < several; l++)
        sums[l] = *(const line *)(of->row[0] + j + l * LINE);
    for (int64_t r = 1; r < terms; r++)
        for (int l = 0; l < several; l++)
            sums[l] += *(const line *)(of->row[r] + j + l * LINE);
    for (int l = 0; l < several; l++) {
        int64_t k = j + l * LINE;
        if (of->all)
            sums[l] += of->share * (*(const line *)(of->all + k) - *(const line *)(of->left + k) -
                                    *(const line *)(of->right + k));
        if (of->document)
            sums[l] += *(const line *)(of->document + k);
        if (of->opinion)
            sums[l] += *(const line *)(of->opinion + k);
        if (positive) /* NaN stays NaN */
            sums[l] = (line)((line_mask)sums[l] & ~(line_mask)(sums[l] < (line){0}));
        *(line *)(z + k) = sums[l];
    }
}

/* For each token i < n, with p = centres[i] + c - C/2 and g = group[i]:

   z_i = sum over c < C of T[rows[p], c] + contexts[context[p], c]                      (n, H)
         + share[g] (sums[g] - T[rows[centres[i] - 1], C] - T[rows[centres[i] + 1], C + 1])
         + documents[document[i]] + opinions[opinion[i]]

   With `positive`, the result is max(z_i, 0). T (rows, slices, H). known: the number of tokens, n or more,
   whose rows may be prefetched. */
static inline __attribute__((always_inline)) void
sum_windows(float *restrict z, const float *restrict T, const int32_t *restrict rows,
            const int64_t *restrict centres, int64_t n, int64_t known, int64_t C, int64_t slices,
            int64_t H, int32_t positive, const struct side *restrict side)
{
    struct terms of;
    for (int64_t i = 0; i < n; i++) {
        /* The first rows belong to frequent words, so they are already in a cache. */
        int64_t later = rows[centres[i + AHEAD < known ? i + AHEAD : i] + C / 2] * slices * H;
        for (int64_t k = 0; later > NEAR && k < slices * H; k += LINE)
            __builtin_prefetch(T + later + k, 0, 2);
        for (int64_t c = 0; c < C; c++) {
            int64_t p = centres[i] + c - C / 2;
            of.row[c] = T + (rows[p] * slices + c) * H;
        }
        int64_t terms = C;
        for (int64_t c = 0; side->context && c < C; c++) {
            int64_t p = centres[i] + c - C / 2;
            of.row[terms++] = side->contexts + (side->context[p] * C + c) * H;
        }
        int64_t g = side->group ? side->group[i] : -1;
        of.all = of.left = of.right = of.document = of.opinion = 0;
        of.share = 0;
        if (g >= 0) {
            of.all = side->sums + g * H, of.share = side->share[g];
            of.left = T + ((rows[centres[i] - 1] + 1) * slices - 2) * H;
            of.right = T + ((rows[centres[i] + 1] + 1) * slices - 1) * H;
        }
        if (side->document)
            of.document = side->documents + side->document[i] * H;
        if (side->opinion && side->opinion[i] >= 0)
            of.opinion = side->opinions + (side->opinion[i] - side->first_opinion) * H;
        float *restrict own = z + i * H;
        int64_t j = 0;
        for (; j + 4 * LINE <= H; j += 4 * LINE)
            sum_lines(own, &of, terms, j, positive, 4);
        for (; j + LINE <= H; j += LINE)
            sum_lines(own, &of, terms, j, positive, 1);
        for (; j < H; j++) {
            float sum = of.row[0][j];
            for (int64_t r = 1; r < terms; r++)
                sum += of.row[r][j];
            if (of.all)
                sum += of.share * (of.all[j] - of.left[j] - of.right[j]);
            if (of.document)
                sum += of.document[j];
            if (of.opinion)
                sum += of.opinion[j];
            own[j] = positive && sum < 0 ? 0 : sum;
        }
    }
}

enum { TOGETHER = 16 /* tokens whose z stay in the first-level cache */ };

/* The arguments for the scores s = U f(z), where f(z) = max(z, 0) if `positive`, else z. The rows of s (n,
   K) are `stride` numbers apart; with `add`, the scores are added to s. outputs: U^T. The opinions are the
   product of values (.., e) and `opinions` (e, H); values begin with the opinion first_opinion of struct
   side. z, room (TOGETHER, H): scratch memory. */
struct scores {
    float *s, *z, *room;
    const float *values;
    struct matrix outputs, opinions;
    int64_t stride, add, positive;
};

#define WINDOWS(kind, target)                                                                      \
    target static void window_sums_##kind(                                                         \
        float *restrict z, const float *restrict T, const int32_t *restrict rows,                  \
        const int64_t *restrict centres, int64_t n, int64_t known, int64_t C, int64_t slices,      \
        int64_t H, int32_t positive, const struct side *restrict side)                             \
    {                                                                                              \
        sum_windows(z, T, rows, centres, n, known, C, slices, H, positive, side);                  \
    }                                                                                              \
                                                                                                   \
    target static void window_scores_##kind(                                                       \
        const struct scores *restrict to, const float *restrict T, const int32_t *restrict rows,   \
        const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices, int64_t H,          \
        const struct side *restrict side)                                                          \
    {                                                                                              \
        struct side own = *side;                                                                   \
        for (int64_t start = 0; start < n; start += TOGETHER) {                                    \
            int64_t some = n - start < TOGETHER ? n - start : TOGETHER;                            \
            own.group = side->group ? side->group + start : 0;                                     \
            own.document = side->document ? side->document + start : 0;                            \
            own.opinion = side->opinion ? side->opinion + start : 0;                               \
            if (own.opinion) {                                                                     \
                int64_t opined = opinions_among(own.opinion, some, &own.first_opinion);            \
                const float *values =                                                              \
                    to->values + (own.first_opinion - side->first_opinion) * to->opinions.H;       \
                product_##kind(to->room, H, values, opined, &to->opinions, 0);                     \
                own.opinions = to->room;                                                           \
            }                                                                                      \
            window_sums_##kind(to->z, T, rows, centres + start, some, n - start, C, slices, H,     \
                               (int32_t)to->positive, &own);                                       \
            product_##kind(to->s + start * to->stride, to->stride, to->z, some, &to->outputs,      \
                           (int)to->add);                                                          \
        }                                                                                          \
    }

/* Returns how many of n tokens have an opinion. Sets first to the number of the first opinion, if any. */
static int64_t opinions_among(const int32_t *opinion, int64_t n, int64_t *first)
{
    int64_t several = 0;
    for (int64_t i = 0; i < n; i++)
        if (opinion[i] >= 0 && several++ == 0)
            *first = opinion[i];
    return several;
}

WINDOWS(plain, )
#ifdef __x86_64__
WINDOWS(avx2, TARGET_AVX2)
WINDOWS(avx512, TARGET_AVX512)
#endif

/* Both functions call the version for this processor's registers. */
void window_sums(float *restrict z, const float *restrict T, const int32_t *restrict rows,
                 const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices, int64_t H,
                 int32_t positive, const struct side *restrict side)
{
#ifdef __x86_64__
    enum registers found = registers();
    if (found == AVX512)
        window_sums_avx512(z, T, rows, centres, n, n, C, slices, H, positive, side);
    else if (found == AVX2)
        window_sums_avx2(z, T, rows, centres, n, n, C, slices, H, positive, side);
    else
#endif
        window_sums_plain(z, T, rows, centres, n, n, C, slices, H, positive, side);
}

void window_scores(const struct scores *restrict to, const float *restrict T,
                   const int32_t *restrict rows, const int64_t *restrict centres, int64_t n,
                   int64_t C, int64_t slices, int64_t H, const struct side *restrict side)
{
#ifdef __x86_64__
    enum registers found = registers();
    if (found == AVX512)
        window_scores_avx512(to, T, rows, centres, n, C, slices, H, side);
    else if (found == AVX2)
        window_scores_avx2(to, T, rows, centres, n, C, slices, H, side);
    else
#endif
        window_scores_plain(to, T, rows, centres, n, C, slices, H, side);
}
