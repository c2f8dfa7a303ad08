/* Lists of phrases: paths in a tree of words. phrases.py describes the arguments.

   The code is C99. No function allocates memory, keeps state, or reads outside of its arguments. */

#include <stdint.h>

/* Writes (start, end, node) of the longest phrase that starts at each token, if there is one, to `found`.
   Returns the number of phrases. WordTree in phrases.py describes the arrays of the tree. A word number of
   `words` or more is in no phrase. */
int64_t longest_phrases(const int32_t *restrict word_ids, const uint8_t *restrict last, int64_t n,
                        const int32_t *restrict types, int64_t kinds, int64_t kind,
                        const int32_t *restrict first, int64_t words,
                        const int64_t *restrict offsets, const int32_t *restrict edges,
                        const int32_t *restrict nodes, const uint8_t *restrict ends,
                        int64_t *restrict found)
{
    int64_t phrases = 0;
    for (int64_t t = 0; t < n; t++) {
        int32_t word = types[kinds * word_ids[t] + kind];
        int32_t node = word >= 0 && word < words ? first[word] : 0;
        if (!node)
            continue;
        int64_t end = 0, ended = 0;
        for (int64_t p = t;; p++) {
            if (ends[node])
                end = p + 1, ended = node;
            if (last[p] || p + 1 == n)
                break;
            word = types[kinds * word_ids[p + 1] + kind];
            if (word < 0)
                break;
            int64_t low = offsets[node], high = offsets[node + 1];
            while (low < high) {
                int64_t middle = low + (high - low) / 2;
                if (edges[middle] < word)
                    low = middle + 1;
                else
                    high = middle;
            }
            if (low == offsets[node + 1] || edges[low] != word)
                break;
            node = nodes[low];
        }
        if (!end)
            continue;
        int64_t *entry = found + 3 * phrases++;
        entry[0] = t, entry[1] = end, entry[2] = ended;
    }
    return phrases;
}
