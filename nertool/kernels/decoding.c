/* Sums over all tag sequences: see decoding/probabilities.py. */
#include <stdint.h>

enum { MOST_TAGS = 64 };

/* out (T) = in (T) times m (T, T). */
static inline void times(double *restrict out, const double *restrict in, const double *restrict m,
                         int64_t T)
{
    for (int64_t j = 0; j < T; j++)
        out[j] = 0;
    for (int64_t i = 0; i < T; i++)
        for (int64_t j = 0; j < T; j++)
            out[j] += in[i] * m[i * T + j];
}

/* Writes ways (T), divided by their sum, to out; returns the sum. */
static inline double scaled(double *restrict out, const double *restrict ways, int64_t T)
{
    double total = 0;
    for (int64_t j = 0; j < T; j++)
        total += ways[j];
    for (int64_t j = 0; j < T; j++)
        out[j] = ways[j] / total;
    return total;
}

/* forward, backward, scale of `Sums`, from weight (N, T), T <= MOST_TAGS, and starts (S+1) of sentences.
   step (T, T) has 1 where a tag may follow another, back is its transpose; first, end (T). */
static inline void sum_tags(const double *restrict weight, const int64_t *restrict starts,
                            int64_t S, int64_t T, const double *restrict step,
                            const double *restrict back, const double *restrict first,
                            const double *restrict end, double *restrict forward,
                            double *restrict backward, double *restrict scale)
{
    double ways[MOST_TAGS], beyond[MOST_TAGS];
    for (int64_t s = 0; s < S; s++) {
        int64_t begin = starts[s], stop = starts[s + 1];
        for (int64_t t = begin; t < stop; t++) {
            if (t > begin)
                times(ways, forward + (t - 1) * T, step, T);
            for (int64_t j = 0; j < T; j++)
                ways[j] = (t > begin ? ways[j] : first[j]) * weight[t * T + j];
            scale[t] = scaled(forward + t * T, ways, T);
        }
        for (int64_t j = 0; begin < stop && j < T; j++)
            backward[(stop - 1) * T + j] = end[j];
        for (int64_t t = stop - 2; t >= begin; t--) {
            for (int64_t j = 0; j < T; j++)
                beyond[j] = weight[(t + 1) * T + j] * backward[(t + 1) * T + j];
            times(ways, beyond, back, T);
            scaled(backward + t * T, ways, T);
        }
    }
}

#define TAG_SUMS(name)                                                                             \
    static void name(const double *weight, const int64_t *starts, int64_t S, int64_t T,            \
                     const double *step, const double *back, const double *first,                  \
                     const double *end, double *forward, double *backward, double *scale)          \
    {                                                                                              \
        sum_tags(weight, starts, S, T, step, back, first, end, forward, backward, scale);          \
    }

TAG_SUMS(tag_sums_plain)
#ifdef __x86_64__
__attribute__((target("avx2"))) TAG_SUMS(tag_sums_avx2)
#endif

/* Calls the one for this processor's registers. */
void tag_sums(const double *weight, const int64_t *starts, int64_t S, int64_t T, const double *step,
              const double *back, const double *first, const double *end, double *forward,
              double *backward, double *scale)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        tag_sums_avx2(weight, starts, S, T, step, back, first, end, forward, backward, scale);
    else
#endif
        tag_sums_plain(weight, starts, S, T, step, back, first, end, forward, backward, scale);
}
