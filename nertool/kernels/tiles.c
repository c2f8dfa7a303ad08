/* The loops of network/tiles.py: weighted sums of parts, and cutting windows into tiles. tiles.py describes
   each function, and library.py has its signature. tests/kernels check that each gives the same result as
   its numpy code. */

#include "rows.h"

#define ROW(k) const float *restrict r##k = in[k]; const float f##k = by[k]
#define LOOP(sum) for (int64_t j = 0; j < d; j++) out[j] = sum

/* Sets out (d,) to the weighted sum of `terms` rows, added up in order; with `add`, adds it to out. */
static inline void add_up(float *restrict out, const float *const *in, const float *by, int64_t terms,
                          int add, int64_t d)
{
    if (!add) {
        ROW(0);
        if (terms == 1) {
            LOOP(f0 * r0[j]);
            return;
        }
        ROW(1);
        if (terms == 2) {
            LOOP(f0 * r0[j] + f1 * r1[j]);
            return;
        }
        ROW(2);
        if (terms == 3) {
            LOOP(f0 * r0[j] + f1 * r1[j] + f2 * r2[j]);
            return;
        }
        ROW(3);
        if (terms == 4) {
            LOOP(f0 * r0[j] + f1 * r1[j] + f2 * r2[j] + f3 * r3[j]);
            return;
        }
        ROW(4);
        LOOP(f0 * r0[j] + f1 * r1[j] + f2 * r2[j] + f3 * r3[j] + f4 * r4[j]);
        in += 5, by += 5, terms -= 5;
    }
    for (; terms >= 4; in += 4, by += 4, terms -= 4) {
        ROW(0);
        ROW(1);
        ROW(2);
        ROW(3);
        LOOP(out[j] + f0 * r0[j] + f1 * r1[j] + f2 * r2[j] + f3 * r3[j]);
    }
    for (; terms > 0; in++, by++, terms--) {
        ROW(0);
        LOOP(out[j] + f0 * r0[j]);
    }
}

/* For each of n items, sets its part o of out (d,) to the sum over i of factors[o, i] times its part i of
   `in`; with `add`, adds it. Factors of 0 are skipped. Part p of item t begins at t * item + p * part. With
   `at`, it begins at (at[t] + p) * part, and the last missing[t] parts of an item do not exist and count as
   zeros. `in` has at most 64 parts. */
WIDER void mix_parts(float *restrict out, const int32_t *restrict out_at, int64_t out_item,
                     int64_t out_part, int64_t outs, const float *restrict in,
                     const int32_t *restrict in_at, int64_t in_item, int64_t in_part, int64_t ins,
                     const float *restrict factors, const uint8_t *restrict missing, int32_t add, int64_t n,
                     int64_t d)
{
    for (int64_t t = 0; t < n; t++) {
        float *to = out + (out_at ? out_at[t] * out_part : t * out_item);
        const float *from = in + (in_at ? in_at[t] * in_part : t * in_item);
        int64_t own_outs = outs - (out_at ? missing[t] : 0), own_ins = ins - (in_at ? missing[t] : 0);
        for (int64_t o = 0; o < own_outs; o++) {
            const float *several[POSITIONS];
            float by[POSITIONS];
            int64_t terms = 0;
            for (int64_t i = 0; i < own_ins; i++)
                if (factors[o * ins + i] != 0) {
                    several[terms] = from + i * in_part;
                    by[terms++] = factors[o * ins + i];
                }
            if (terms)
                add_up(to + o * out_part, several, by, terms, add, d);
            else if (!add)
                for (int64_t j = 0; j < d; j++)
                    to[o * out_part + j] = 0;
        }
    }
}

/* Cuts consecutive windows (B, C) into tiles of `most` windows, from the first one on. Writes for each tile
   its first window, that window's first word, and the number of missing windows. Returns the number of
   tiles; or -1 if a window is not C consecutive words, or does not begin after the window before it. */
int64_t tile_windows(const int32_t *restrict windows, int64_t B, int64_t C, int32_t most,
                     int32_t *restrict first, int32_t *restrict start, uint8_t *restrict missing)
{
    int64_t T = 0;
    for (int64_t i = 0; i < B; i++) {
        const int32_t *own = windows + i * C;
        for (int64_t c = 1; c < C; c++)
            if (own[c] != own[0] + c)
                return -1;
        if (i > 0 && own[0] <= own[-C])
            return -1;
        if (i > 0 && own[0] == own[-C] + 1 && missing[T - 1]) {
            missing[T - 1]--;
            continue;
        }
        first[T] = (int32_t)i;
        start[T] = own[0];
        missing[T++] = (uint8_t)(most - 1);
    }
    return T;
}
