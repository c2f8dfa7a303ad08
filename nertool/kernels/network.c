/* Inner loops of training that would need several numpy calls. network.py describes each function, and
   library.py has its signature. tests/kernels check that each gives the same result as its numpy code.

   The code is C99 with the vector types of GCC and Clang. No function allocates memory, keeps state, or reads
   outside of its arguments. */

#include <math.h>
#include <string.h>

#include "rows.h"

/* Adds values[from[i]] to out[place[i]] for each i in order. out (n, d); the rows of values (.., d) are
   `stride` numbers apart. Without `from` or `place`, i is used instead. */
WIDER void add_rows(float *restrict out, const int32_t *restrict place, const float *restrict values,
              int64_t stride, const int32_t *restrict from, int64_t m, int64_t d)
{
    for (int64_t i = 0; i < m; i++)
        add_row(out + (place ? place[i] : i) * d, values + (from ? from[i] : i) * stride, d);
}

/* Returns 1 / sqrt(several), the factor of a pooled table's rows. numpy also computes it in 64 bits. */
static inline float root_share(int64_t several)
{
    return (float)(1.0 / sqrt((double)(several ? several : 1)));
}

/* Writes the rows ids[i, 0], ids[i, 1], ... of the tables side by side to row i of out: columns[k] rows of
   table k, which is (V[k], widths[k]). If columns[k] < 0, the table is pooled: -columns[k] numbers, 0 for
   no row, give one row, the sum of their rows divided by the square root of their number. The rows of out
   are `stride` numbers apart, those of ids F. Returns 1, or 0 if a number is not a row. */
WIDER int32_t gather_rows(float *restrict out, int64_t stride, const int32_t *restrict ids, int64_t F, int64_t n,
                    const float *const *restrict tables, const int64_t *restrict V,
                    const int64_t *restrict widths, const int64_t *restrict columns, int64_t count)
{
    for (int64_t i = 0; i < n; i++) {
        const int32_t *id = ids + i * F, *later = ids + (i + AHEAD < n ? i + AHEAD : i) * F;
        float *restrict own = out + i * stride;
        for (int64_t k = 0; k < count; k++) {
            int64_t d = widths[k];
            if (columns[k] < 0) {
                int64_t several = 0;
                memset(own, 0, (size_t)d * sizeof *own);
                for (int64_t c = 0; c < -columns[k]; c++) {
                    if (id[c] < 0 || id[c] >= V[k])
                        return 0;
                    if (later[c])
                        ask_for(tables[k] + later[c] * d, d);
                    if (id[c]) {
                        add_row(own, tables[k] + id[c] * d, d);
                        several++;
                    }
                }
                float share = root_share(several);
                for (int64_t j = 0; j < d; j++)
                    own[j] *= share;
                own += d, id -= columns[k], later -= columns[k];
                continue;
            }
            for (int64_t c = 0; c < columns[k]; c++, own += d, id++) {
                if (*id < 0 || *id >= V[k])
                    return 0;
                ask_for(tables[k] + *later++ * d, d);
                copy_row(own, tables[k] + *id * d, d);
            }
        }
    }
    return 1;
}

/* The backward pass of gather_rows. For each table k, writes the distinct rows in its columns of ids,
   ascending, and for each of them the sum of its parts of values, widths[k] numbers each. The tables follow
   one another; table k has counts[k] rows, a frozen one none. In a pooled table, each row that is not 0
   gets the word's part of values divided by the square root of the number of its rows. The rows of ids are
   F numbers apart, those of values `stride`. met (largest V) must be 0; place is scratch memory. Returns 1,
   or 0 if a number is not a row. */
WIDER int32_t sum_by_row(int64_t *restrict rows, float *restrict sums, int64_t *restrict counts,
                   uint8_t *restrict met, int32_t *restrict place, const int64_t *restrict V,
                   const int64_t *restrict frozen, const int64_t *restrict widths,
                   const int64_t *restrict columns, int64_t tables, const int32_t *restrict ids,
                   int64_t F, int64_t n, const float *restrict values, int64_t stride)
{
    for (int64_t k = 0, C; k < tables; ids += C, values += (columns[k] < 0 ? 1 : C) * widths[k], k++) {
        int64_t count = 0, d = widths[k];
        int pooled = columns[k] < 0;
        C = pooled ? -columns[k] : columns[k];
        counts[k] = 0;
        if (frozen[k])
            continue;
        for (int64_t i = 0; i < n; i++)
            for (int64_t c = 0; c < C; c++) {
                int32_t id = ids[i * F + c];
                if (id < 0 || id >= V[k])
                    return 0;
                met[id] = 1;
            }
        if (pooled)
            met[0] = 0;
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
        for (int64_t i = 0; i < n; i++) {
            const int32_t *id = ids + i * F;
            const float *own = values + i * stride;
            if (!pooled) {
                for (int64_t c = 0; c < C; c++)
                    add_row(sums + place[id[c]] * d, own + c * d, d);
                continue;
            }
            int64_t several = 0;
            for (int64_t c = 0; c < C; c++)
                several += id[c] != 0;
            float share = root_share(several);
            for (int64_t c = 0; c < C; c++)
                if (id[c]) {
                    float *restrict to = sums + place[id[c]] * d;
                    for (int64_t j = 0; j < d; j++)
                        to[j] += own[j] * share;
                }
        }
        counts[k] = count;
        rows += count;
        sums += count * d;
    }
    return 1;
}

/* A step of AdaGrad for several arrays theta[k] (.., d[k]) with memories G[k]:
   G += g g; theta -= alpha g / (sqrt(G) + floor).
   g[k] (m[k], d[k]) is the gradient of the rows rows[k], which are ascending; without rows[k], of the first
   m[k] rows. */
WIDER void adagrad(int64_t several, float *const *restrict theta, float *const *restrict G,
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

/* Returns the i-th number that SplitMix64 computes from a seed. */
static inline uint64_t drawn(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Sets mask[i] to 0 if the i-th 16 random bits are a number less than `below`, else to scale. Each number of
   SplitMix64 gives four of these, from its lowest bits on. */
WIDER void dropout_mask(float *restrict mask, int64_t n, uint64_t seed, int32_t below, float scale)
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
