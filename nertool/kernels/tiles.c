/* The loop of network/tiles.py: parts that are sums of other parts with small factors. tiles.py says what it
   does, library.py has its signature, and tests/kernels hold it equal to the numpy code beside its call. */

#include "rows.h"

#define ROW(k) const float *restrict r##k = in[k]; const float f##k = by[k]
#define LOOP(sum) for (int64_t j = 0; j < d; j++) out[j] = sum

/* out (d,) = or += the sum of so many rows, each with its factor, added up one after the other. */
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

/* For each of n items: its part o of out (d,) = or, with add, += the sum over i of factors[o, i] times its
   part i of in, zeros left out. The part p of item t begins at t * item + p * part, or, where `at` is
   given, at (at[t] + p) * part; there an item lacks its last missing[t] parts, which count as zeros. At most
   64 parts in. */
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

/* Cut the windows (B, C) that follow one another into tiles of `most` of them, from the first one on: of each
   its first window, that window's first word, and how many windows it lacks. Returns how many tiles there
   are; or -1 where a window is no C words that follow one another, or begins no later than the one before. */
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
