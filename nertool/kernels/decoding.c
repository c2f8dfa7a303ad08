/* Sums over all tag sequences: see decoding/probabilities.py. */
#include <math.h>
#include <stdint.h>

enum { MOST_TAGS = 64 };

/* Groups of tags. The members of group g are tags[starts[g]] to tags[starts[g + 1] - 1]. The tags that may
   come before tag j are the members of group of[j]. Many tags share a group: for example, the same tags may
   come before O and before B- and S- of every class. */
struct groups {
    int64_t G;
    const int64_t *of, *starts, *tags;
};

/* Sets out[j] to the sum of `in` over the group of tag j. */
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

/* Writes ways (T) divided by their sum to out, and returns the sum. */
static inline double scaled(double *restrict out, const double *restrict ways, int64_t T)
{
    double total = 0;
    for (int64_t j = 0; j < T; j++)
        total += ways[j];
    for (int64_t j = 0; j < T; j++)
        out[j] = ways[j] / total;
    return total;
}

/* Computes forward, backward and scale of `Sums` from weight (N, T), T <= MOST_TAGS.
   starts (S+1): the starts of sentences; before, after: the tags that may come before, and after, each tag;
   first, end (T). The two directions are independent, so the loop alternates between them, and the processor
   works on both at the same time. */
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

/* Compiles sum_tags as a function of its own. */
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

/* Calls the version for this processor's registers. G, of, before_starts and before_tags are `struct
   groups` for the tags before each tag; back_G, back_of, after_starts and after_tags are those for the tags
   after it. */
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

/* Returns the best score of a token's other tags minus that of O, from its scores s (T). */
static inline float beats_outside(const float *restrict s, int64_t T)
{
    float most[2] = {s[1], s[T - 1]};
    for (int64_t k = 2; k + 1 < T; k += 2)
        for (int i = 0; i < 2; i++)
            most[i] = s[k + i] > most[i] ? s[k + i] : most[i];
    return (most[0] > most[1] ? most[0] : most[1]) - s[0];
}

/* Computes outside_by of decoding/viterbi.py from scores (N, T), O first, T > 1, and writes it to lost (N).
   prefix (N + 1): scratch memory. Returns 0 if a score is not finite; lost is then undefined. */
int32_t outside_by(const float *restrict scores, int64_t N, int64_t T, double *restrict prefix,
                   double *restrict lost)
{
    float none[16] = {0}; /* 0 as long as all scores are finite, else NaN */
    int64_t i = 0;
    for (; i + 16 <= N * T; i += 16)
        for (int l = 0; l < 16; l++)
            none[l] += scores[i + l] * 0;
    for (; i < N * T; i++)
        none[0] += scores[i] * 0;
    for (int l = 0; l < 16; l++)
        if (none[l] != 0)
            return 0;
    double smallest = prefix[0] = 0;
    for (i = 0; i < N; i++) {
        lost[i] = smallest;
        double sum = prefix[i + 1] = prefix[i] + beats_outside(scores + i * T, T);
        smallest = smallest <= sum ? smallest : sum;
    }
    double largest = prefix[N];
    for (i = N - 1; i >= 0; i--) {
        lost[i] -= largest;
        largest = largest >= prefix[i] ? largest : prefix[i];
    }
    return 1;
}

/* Sets best (N) to each token's best tag by its scores (N, T) if lost (N) <= bar, else to O. A part is
   consecutive tokens of a sentence with lost <= bar. Writes (start, end) of each part whose tags are not an
   allowed sequence, by start, end (T) and step (T, T), to wrong (at most N pairs). Returns their number. */
int64_t best_of_each(int32_t *restrict best, const float *restrict scores, int64_t T,
                     const double *restrict lost, double bar, const int64_t *restrict starts,
                     int64_t S, const uint8_t *restrict start, const uint8_t *restrict end,
                     const uint8_t *restrict step, int64_t *restrict wrong)
{
    int64_t several = 0;
    for (int64_t s = 0; s < S; s++)
        for (int64_t t = starts[s], stop = starts[s + 1]; t < stop; t++) {
            best[t] = 0;
            if (!(lost[t] <= bar))
                continue;
            int64_t first = t;
            int allowed = 1;
            for (int32_t before = -1; t < stop && lost[t] <= bar; before = best[t++]) {
                const float *own = scores + t * T;
                int32_t tag = 0;
                for (int64_t k = 1; k < T; k++)
                    tag = own[k] > own[tag] ? (int32_t)k : tag;
                best[t] = tag;
                allowed &= before < 0 ? start[tag] : step[before * T + tag];
            }
            if (!(allowed & end[best[t - 1]])) {
                wrong[2 * several] = first;
                wrong[2 * several++ + 1] = t;
            }
            t--;
        }
    return several;
}

/* Sets best[t] of n parts, (start, end) each, to the best allowed sequence, as viterbi in
   decoding/viterbi.py. Of equal sequences, the one with the first tags wins. back (longest part, T):
   scratch memory. T <= MOST_TAGS. */
void best_sequences(int32_t *restrict best, const float *restrict scores, int64_t T,
                    const int64_t *restrict parts, int64_t n, const uint8_t *restrict start,
                    const uint8_t *restrict end, int64_t G, const int64_t *restrict of,
                    const int64_t *restrict group_starts, const int64_t *restrict tags,
                    uint8_t *restrict back)
{
    const float never = -(float)INFINITY;
    float total[MOST_TAGS], through[MOST_TAGS];
    int32_t chosen[MOST_TAGS];
    for (int64_t i = 0; i < n; i++) {
        int64_t first = parts[2 * i], stop = parts[2 * i + 1];
        for (int64_t j = 0; j < T; j++)
            total[j] = start[j] ? scores[first * T + j] : never;
        for (int64_t t = first + 1; t < stop; t++) {
            for (int64_t g = 0; g < G; g++) {
                through[g] = never, chosen[g] = 0;
                for (int64_t k = group_starts[g]; k < group_starts[g + 1]; k++)
                    if (total[tags[k]] > through[g])
                        through[g] = total[tags[k]], chosen[g] = (int32_t)tags[k];
            }
            for (int64_t j = 0; j < T; j++) {
                back[(t - first) * T + j] = (uint8_t)chosen[of[j]];
                total[j] = through[of[j]] + scores[t * T + j];
            }
        }
        int32_t tag = 0;
        float most = never;
        for (int64_t j = 0; j < T; j++)
            if (end[j] && total[j] > most)
                most = total[j], tag = (int32_t)j;
        for (int64_t t = stop - 1; t >= first; t--) {
            best[t] = tag;
            tag = back[(t - first) * T + tag];
        }
    }
}
