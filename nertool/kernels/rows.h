/* Rows of numbers, float32: what the kernels on them share. */

#ifndef NERTOOL_ROWS_H
#define NERTOOL_ROWS_H

#include <stddef.h>
#include <stdint.h>

typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));
enum { LANES = 4, LINE = 16 /* numbers in a cache line */, AHEAD = 8, POSITIONS = 64 };

/* A second form of a function, for processors with twice as long vectors, where the loader can choose. Sums
   are taken in the same order, and no product melts into a sum, so both give the same numbers. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDER __attribute__((target_clones("avx2", "default")))
#else
#define WIDER
#endif

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

#endif
