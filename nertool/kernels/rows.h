/* Functions on rows of float32, which several kernels share. */

#ifndef NERTOOL_ROWS_H
#define NERTOOL_ROWS_H

#include <stddef.h>
#include <stdint.h>

typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));
enum { LANES = 4, LINE = 16 /* numbers in a cache line */, AHEAD = 8, POSITIONS = 64 };

/* Compiles a function a second time for AVX2, if the loader can choose between both. Sums are added up in the
   same order, and products and sums are not fused, so both give the same numbers. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDER __attribute__((target_clones("avx2", "default")))
#else
#define WIDER
#endif

/* Prefetches a row. Reading a row from memory takes about a hundred times as long as from a cache. */
static inline void ask_for(const float *row, int64_t d)
{
    for (int64_t j = 0; j < d; j += LINE)
        __builtin_prefetch(row + j);
}

/* Simple loops for short rows. The compiler's own code is made for long rows, and takes several times as long
   to start. */
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

#endif
