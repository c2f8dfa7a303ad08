/* Inner loops that numpy has no one call for. library.py says what each does, and hands the arrays over;
   tests/test_kernels.py holds each equal to the numpy code that it stands in for.

   Plain C99 and the vector type that GCC and Clang share. Nothing here allocates, keeps anything, or
   looks beyond what its arguments say. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- rows of numbers, float32 ---- */

typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));
enum { LANES = 4, LINE = 16 /* numbers in a cache line */, AHEAD = 8, POSITIONS = 64 };

/* A row that is in no cache takes as long to come as a hundred that are: ask in time. */
static inline void ask_for(const float *row, int64_t d)
{
    for (int64_t j = 0; j < d; j += LINE)
        __builtin_prefetch(row + j);
}

/* Rows of a few numbers are worth no more than these loops: a compiler's own, made for long ones, take
   several times as long to begin. */
static inline void copy_row(float *restrict to, const float *restrict from, int64_t d)
{
    int64_t j = 0;
    for (; j + LANES <= d; j += LANES)
        *(lanes *)(to + j) = *(const lanes *)(from + j);
    if (j < d && d >= LANES)
        *(lanes *)(to + d - LANES) = *(const lanes *)(from + d - LANES);
    else
        for (; j < d; j++)
            to[j] = from[j];
}

static inline void add_row(float *restrict to, const float *restrict from, int64_t d)
{
    int64_t j = 0;
    for (; j + LANES <= d; j += LANES)
        *(lanes *)(to + j) += *(const lanes *)(from + j);
    for (; j < d; j++)
        to[j] += from[j];
}

/* What a token's side inputs add to its z, each part or nothing of it (see tagging/side.py).
   group (n,): the token's group g or -1; sums (groups, H), share (groups,). document (n,): its row of
   documents (.., H). opinion (n,): its row of opinions (.., H), counted from first_opinion, or -1. */
struct side {
    const int32_t *group;
    const float *sums, *share;
    const int32_t *document;
    const float *documents;
    const int32_t *opinion;
    const float *opinions;
    int64_t first_opinion;
};

/* LINE numbers of a row at a time, as many as a cache line holds: one register of AVX-512, two of AVX2,
   four of SSE2 or NEON. The sums are taken in the same order in each. */
typedef float line __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t line_mask __attribute__((vector_size(64)));

/* For each token i < n, with p = centres[i] + c - C/2 and g = group[i]:

   z_i = sum over c < C of T[rows[p], c] + V[contexts[p], c]                            (n, H)
         + share[g] (sums[g] - T[rows[centres[i] - 1], C] - T[rows[centres[i] + 1], C + 1])
         + documents[document[i]] + opinions[opinion[i]]

   and max(z_i, 0) where `positive`. T (rows, slices, H), V (contexts, C, H) or nothing. */
static inline __attribute__((always_inline)) void
sum_windows(float *restrict z, const float *restrict T, const float *restrict V,
            const int32_t *restrict rows, const int32_t *restrict contexts,
            const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices, int64_t H,
            int32_t positive, const struct side *restrict side)
{
    const float *row[2 * POSITIONS];
    for (int64_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            for (int64_t c = 0; c < C; c++)
                ask_for(T + (rows[centres[i + AHEAD] + c - C / 2] * slices + c) * H, H);
        for (int64_t c = 0; c < C; c++) {
            int64_t p = centres[i] + c - C / 2;
            row[c] = T + (rows[p] * slices + c) * H;
            if (V)
                row[C + c] = V + (contexts[p] * C + c) * H;
        }
        int64_t terms = V ? 2 * C : C;
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
    static void name(float *restrict z, const float *restrict T, const float *restrict V,          \
                     const int32_t *restrict rows, const int32_t *restrict contexts,               \
                     const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices,        \
                     int64_t H, int32_t positive, const struct side *restrict side)                \
    {                                                                                              \
        sum_windows(z, T, V, rows, contexts, centres, n, C, slices, H, positive, side);            \
    }

WINDOW_SUMS(window_sums_plain)
#ifdef __x86_64__
__attribute__((target("avx2"))) WINDOW_SUMS(window_sums_avx2)
__attribute__((target("avx512f"))) WINDOW_SUMS(window_sums_avx512)
#endif

/* Calls the one for this processor's registers. */
void window_sums(float *restrict z, const float *restrict T, const float *restrict V,
                 const int32_t *restrict rows, const int32_t *restrict contexts,
                 const int64_t *restrict centres, int64_t n, int64_t C, int64_t slices, int64_t H,
                 int32_t positive, const struct side *restrict side)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        window_sums_avx512(z, T, V, rows, contexts, centres, n, C, slices, H, positive, side);
    else if (__builtin_cpu_supports("avx2"))
        window_sums_avx2(z, T, V, rows, contexts, centres, n, C, slices, H, positive, side);
    else
#endif
        window_sums_plain(z, T, V, rows, contexts, centres, n, C, slices, H, positive, side);
}

/* out[place[i]] += values[from[i]] for each i in turn; out (n, d), values (.., d), a row `stride` after
   the one before. Without from, or without place, i stands in its stead. */
void add_rows(float *restrict out, const int32_t *restrict place, const float *restrict values,
              int64_t stride, const int32_t *restrict from, int64_t m, int64_t d)
{
    for (int64_t i = 0; i < m; i++)
        add_row(out + (place ? place[i] : i) * d, values + (from ? from[i] : i) * stride, d);
}

/* out_i = the rows ids[i, 0], ids[i, 1], ... of the tables, side by side: columns[k] of them from table k,
   of V[k] rows that are widths[k] long. One row of out is `stride` after the other, one of ids F. Returns
   1, or 0 if a number names no row. */
int32_t gather_rows(float *restrict out, int64_t stride, const int32_t *restrict ids, int64_t F, int64_t n,
                    const float *const *restrict tables, const int64_t *restrict V,
                    const int64_t *restrict widths, const int64_t *restrict columns, int64_t count)
{
    for (int64_t i = 0; i < n; i++) {
        const int32_t *id = ids + i * F, *later = ids + (i + AHEAD < n ? i + AHEAD : i) * F;
        float *restrict own = out + i * stride;
        for (int64_t k = 0; k < count; k++)
            for (int64_t c = 0; c < columns[k]; c++, own += widths[k], id++) {
                if (*id < 0 || *id >= V[k])
                    return 0;
                ask_for(tables[k] + *later++ * widths[k], widths[k]);
                copy_row(own, tables[k] + *id * widths[k], widths[k]);
            }
    }
    return 1;
}

/* The way back: for each table k in turn, of V[k] rows, the rows that its columns of ids name, ascending,
   and for each the sum of the stretches of values that stand at its places. They are written one table
   after the other, counts[k] of them; one that is frozen is passed over. ids and values lie in rows of
   which one begins F, or `stride`, after the other. met (largest V) is 0; place is anything. Returns 1,
   or 0 if a number names no row. */
int32_t sum_by_row(int64_t *restrict rows, float *restrict sums, int64_t *restrict counts,
                   uint8_t *restrict met, int32_t *restrict place, const int64_t *restrict V,
                   const int64_t *restrict frozen, const int64_t *restrict widths,
                   const int64_t *restrict columns, int64_t tables, const int32_t *restrict ids,
                   int64_t F, int64_t n, const float *restrict values, int64_t stride)
{
    for (int64_t k = 0; k < tables; ids += columns[k], values += columns[k] * widths[k], k++) {
        int64_t count = 0, d = widths[k];
        counts[k] = 0;
        if (frozen[k])
            continue;
        for (int64_t i = 0; i < n; i++)
            for (int64_t c = 0; c < columns[k]; c++) {
                int32_t id = ids[i * F + c];
                if (id < 0 || id >= V[k])
                    return 0;
                met[id] = 1;
            }
        for (int64_t row = 0; row < V[k]; row++) {
            uint64_t several;
            if (row + (int64_t)sizeof several <= V[k]) {
                memcpy(&several, met + row, sizeof several);
                if (several == 0) {
                    row += (int64_t)sizeof several - 1;
                    continue;
                }
            }
            if (met[row]) {
                met[row] = 0;
                place[row] = (int32_t)count;
                rows[count++] = row;
            }
        }
        memset(sums, 0, (size_t)(count * d) * sizeof *sums);
        for (int64_t i = 0; i < n; i++)
            for (int64_t c = 0; c < columns[k]; c++)
                add_row(sums + place[ids[i * F + c]] * d, values + i * stride + c * d, d);
        counts[k] = count;
        rows += count;
        sums += count * d;
    }
    return 1;
}

/* AdaGrad, for each of several arrays theta[k] (.., d[k]) and their memories G[k], in the m[k] rows that
   g[k] (m[k], d[k]) is the gradient of, ascending; without rows[k], in the first m[k]:
   G += g g; theta -= alpha g / (sqrt(G) + floor). */
void adagrad(int64_t several, float *const *restrict theta, float *const *restrict G,
             const float *const *restrict g, const int64_t *const *restrict rows,
             const int64_t *restrict m, const int64_t *restrict d, float alpha, float floor)
{
    for (int64_t k = 0; k < several; k++)
        for (int64_t i = 0; i < m[k]; i++) {
            int64_t row = rows[k] ? rows[k][i] : i;
            if (rows[k] && i + AHEAD < m[k]) {
                ask_for(theta[k] + rows[k][i + AHEAD] * d[k], d[k]);
                ask_for(G[k] + rows[k][i + AHEAD] * d[k], d[k]);
            }
            float *restrict own = theta[k] + row * d[k], *restrict memory = G[k] + row * d[k];
            const float *restrict gradient = g[k] + i * d[k];
            for (int64_t j = 0; j < d[k]; j++) {
                memory[j] += gradient[j] * gradient[j];
                own[j] += gradient[j] / (sqrtf(memory[j]) + floor) * -alpha;
            }
        }
}

/* The i-th of the numbers that SplitMix64 draws from a seed. */
static inline uint64_t drawn(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* mask[i] = 0 or scale: 0 where the i-th sixteen bits that are drawn, each number's lowest first, are
   a number below the bar. */
void dropout_mask(float *restrict mask, int64_t n, uint64_t seed, int32_t below, float scale)
{
    enum { EACH = 4, SOME = 64 };
    uint16_t bits[SOME * EACH];
    for (int64_t start = 0; start < n; start += SOME * EACH) {
        for (int i = 0; i < SOME; i++) {
            uint64_t z = drawn(seed, (uint64_t)(start / EACH + i));
            for (int k = 0; k < EACH; k++)
                bits[EACH * i + k] = (uint16_t)(z >> 16 * k);
        }
        int64_t left = n - start < SOME * EACH ? n - start : SOME * EACH;
        for (int64_t i = 0; i < left; i++)
            mask[start + i] = bits[i] < below ? 0 : scale;
    }
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

/* ---- lines of text; each ends with LF ---- */

enum { POWERS = 64, LF = '\n', CR = '\r' };

/* Looks each line up in a table: numbers[i] is its number there, or the line is written to `unknown`
   as (i, start, end). Returns how many are. See linetable.py for the table. */
int64_t look_up_lines(const uint8_t *restrict raw, int64_t size, const uint64_t *restrict powers,
                      uint64_t mix, int64_t shift, const uint64_t *restrict hashes,
                      const int32_t *restrict known, const int64_t *restrict at,
                      const uint8_t *restrict bytes, int64_t used, int32_t *restrict numbers,
                      int64_t *restrict unknown)
{
    int64_t lines = 0, missing = 0;
    for (int64_t start = 0, end; start < size; start = end + 1, lines++) {
        uint64_t hash = 0;
        for (end = start;; end++) {
            int64_t inside = end - start;
            hash += raw[end] * powers[inside < POWERS ? inside : POWERS - 1];
            if (raw[end] == LF)
                break;
        }
        uint64_t place = (hash * mix) >> shift;
        int64_t length = end + 1 - start;
        if (at[place] > 0 && hashes[place] == hash && at[place] + length <= used &&
            memcmp(bytes + at[place], raw + start, (size_t)length) == 0) {
            numbers[lines] = known[place];
            continue;
        }
        int64_t *entry = unknown + 3 * missing++;
        entry[0] = lines, entry[1] = start, entry[2] = end;
    }
    return missing;
}

/* Copies a text with a cell at the end of each line, before the CR that may end it: the cell of line i
   is cells[starts[column[i]]] up to starts[column[i] + 1]. Returns how many bytes were written. */
int64_t put_cells(uint8_t *restrict out, const uint8_t *restrict raw, int64_t size,
                  const int32_t *restrict column, const uint8_t *restrict cells,
                  const int64_t *restrict starts)
{
    uint8_t *to = out;
    for (int64_t start = 0, end; start < size; start = end + 1, column++) {
        for (end = start; raw[end] != LF; end++)
            *to++ = raw[end];
        int cr = end > start && raw[end - 1] == CR;
        to -= cr;
        for (int64_t i = starts[*column]; i < starts[*column + 1]; i++)
            *to++ = cells[i];
        if (cr)
            *to++ = CR;
        *to++ = LF;
    }
    return to - out;
}
