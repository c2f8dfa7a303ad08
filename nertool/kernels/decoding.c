/* Sums over all tag sequences: see decoding/probabilities.py. */
#include <stdint.h>

enum { MOST_TAGS = 64 };

/* Tags in groups: members of group g stand in tags[starts[g]] to tags[starts[g + 1] - 1]. The tags that may
   come before tag j are the members of group of[j]. In every scheme many tags share a group: before O, B- and
   S- of all classes stand the same tags. */
struct groups {
    int64_t G;
    const int64_t *of, *starts, *tags;
};

/* out[j] = the sum of in over the group of tag j. */
static inline void add_up(double *restrict out, const double *restrict in,
                          const struct groups *groups, int64_t T)
{
    double sums[MOST_TAGS];
    for (int64_t g = 0; g < groups->G; g++) {
        double sum = 0;
        for (int64_t k = groups->starts[g]; k < groups->starts[g + 1]; k++)
            sum += in[groups->tags[k]];
        sums[g] = sum;
    }
    for (int64_t j = 0; j < T; j++)
        out[j] = sums[groups->of[j]];
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
   before: the tags that may come before each tag; after: those that may come after it; first, end (T).
   The two directions do not depend on each other: in turns, the processor works at both at once. */
static inline void sum_tags(const double *restrict weight, const int64_t *restrict starts,
                            int64_t S, int64_t T, const struct groups *before,
                            const struct groups *after, const double *restrict first,
                            const double *restrict end, double *restrict forward,
                            double *restrict backward, double *restrict scale)
{
    double ways[MOST_TAGS], beyond[MOST_TAGS], back[MOST_TAGS];
    for (int64_t s = 0; s < S; s++) {
        int64_t begin = starts[s], stop = starts[s + 1];
        if (begin == stop)
            continue;
        for (int64_t j = 0; j < T; j++) {
            ways[j] = first[j] * weight[begin * T + j];
            backward[(stop - 1) * T + j] = end[j];
        }
        scale[begin] = scaled(forward + begin * T, ways, T);
        for (int64_t k = 1; k < stop - begin; k++) {
            int64_t t = begin + k, u = stop - 1 - k;
            add_up(ways, forward + (t - 1) * T, before, T);
            for (int64_t j = 0; j < T; j++) {
                ways[j] *= weight[t * T + j];
                beyond[j] = weight[(u + 1) * T + j] * backward[(u + 1) * T + j];
            }
            add_up(back, beyond, after, T);
            scale[t] = scaled(forward + t * T, ways, T);
            scaled(backward + u * T, back, T);
        }
    }
}

/* before and after: numbers of groups, then of, starts and tags, as in `groups`. */
#define TAG_SUMS(name)                                                                             \
    static void name(const double *weight, const int64_t *starts, int64_t S, int64_t T,            \
                     const struct groups *before, const struct groups *after,                      \
                     const double *first, const double *end, double *forward, double *backward,    \
                     double *scale)                                                                \
    {                                                                                              \
        sum_tags(weight, starts, S, T, before, after, first, end, forward, backward, scale);       \
    }

TAG_SUMS(tag_sums_plain)
#ifdef __x86_64__
__attribute__((target("avx2"))) TAG_SUMS(tag_sums_avx2)
#endif

/* Calls the one for this processor's registers. */
void tag_sums(const double *weight, const int64_t *starts, int64_t S, int64_t T, int64_t G,
              const int64_t *of, const int64_t *before_starts, const int64_t *before_tags,
              int64_t back_G, const int64_t *back_of, const int64_t *after_starts,
              const int64_t *after_tags, const double *first, const double *end, double *forward,
              double *backward, double *scale)
{
    struct groups before = {G, of, before_starts, before_tags};
    struct groups after = {back_G, back_of, after_starts, after_tags};
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        tag_sums_avx2(weight, starts, S, T, &before, &after, first, end, forward, backward, scale);
    else
#endif
        tag_sums_plain(weight, starts, S, T, &before, &after, first, end, forward, backward, scale);
}

enum { TOGETHER = 1024 }; /* tokens whose scores stay in the processor's cache */

/* lost (N,), as decoding/viterbi.py's outside_by has it, from scores (N, T), column by column, O's first.
   h (N,), prefix (N + 1,): anything. What is no number makes what is computed of it none, too. */
void outside_by(const float *restrict scores, int64_t N, int64_t T, float *restrict h,
                double *restrict prefix, double *restrict lost)
{
    for (int64_t start = 0; start < N; start += TOGETHER) {
        int64_t n = N - start < TOGETHER ? N - start : TOGETHER;
        const float *own = scores + start;
        float *restrict most = h + start;
        for (int64_t i = 0; i < n; i++)
            most[i] = own[N + i];
        for (int64_t tag = 2; tag < T; tag++)
            for (int64_t i = 0; i < n; i++) {
                float score = own[tag * N + i];
                most[i] = most[i] >= score || most[i] != most[i] ? most[i] : score;
            }
        for (int64_t i = 0; i < n; i++)
            most[i] -= own[i];
    }
    double smallest = prefix[0] = 0;
    for (int64_t i = 0; i < N; i++) {
        lost[i] = smallest;
        double sum = prefix[i + 1] = prefix[i] + h[i];
        smallest = smallest <= sum || smallest != smallest ? smallest : sum;
    }
    double largest = prefix[N];
    for (int64_t i = N - 1; i >= 0; i--) {
        lost[i] -= largest;
        largest = largest >= prefix[i] || largest != largest ? largest : prefix[i];
    }
}
