/* Loops over the tokens of documents. documents.py describes each function, and library.py has its signature.
   tests/kernels check that each gives the same result as its numpy code.

   The code is C99. No function allocates memory, keeps state, or reads outside of its arguments. */

#include <stdint.h>

/* Finds groups of two or more tokens with the same word in a document. ids (starts[D],): the tokens' words.
   Groups are in the order of their first tokens. Writes members (M,), group (M,), the group of each member,
   and sizes (G,). count (words,) must be 0; place (words,) is scratch memory. Sets of[0] to M, and returns
   G. */
int64_t group_words(const int32_t *restrict ids, const int64_t *restrict starts, int64_t D,
                    int32_t *restrict count, int64_t *restrict place, int64_t *restrict members,
                    int64_t *restrict group, int64_t *restrict sizes, int64_t *restrict of)
{
    int64_t G = 0, M = 0;
    for (int64_t d = 0; d < D; d++) {
        for (int64_t t = starts[d]; t < starts[d + 1]; t++)
            if (count[ids[t]]++ == 0)
                place[ids[t]] = -1;
        for (int64_t t = starts[d]; t < starts[d + 1]; t++) {
            int32_t id = ids[t], n = count[id];
            if (n < 2)
                continue;
            if (place[id] < 0) {
                place[id] = M;
                for (int32_t i = 0; i < n; i++)
                    group[M++] = G;
                sizes[G++] = n;
            }
            members[place[id]++] = t;
        }
        for (int64_t t = starts[d]; t < starts[d + 1]; t++)
            count[ids[t]] = 0;
    }
    of[0] = M;
    return G;
}

enum { KINDS = 3, EVIDENCE = 3 };

/* Sets number[t] to 1 + the sum of 2^i for each i < 3 for which another member of the token's group is
   evidence; it is 1 for tokens in no group. A token's evidence is the bits of table (classes, 3, 2) for its
   class of capitals, caps (n,); the kind of its sentence, kinds (S,); and whether it is the sentence's first
   token. own (n,): scratch memory. */
void document_context(int32_t *restrict number, uint8_t *restrict own, const int8_t *restrict caps,
                      const int64_t *restrict sentence_starts, const int64_t *restrict kinds, int64_t S,
                      const uint8_t *restrict table, const int64_t *restrict members,
                      const int64_t *restrict sizes, int64_t G)
{
    for (int64_t s = 0; s < S; s++)
        for (int64_t t = sentence_starts[s]; t < sentence_starts[s + 1]; t++) {
            own[t] = table[(caps[t] * KINDS + kinds[s]) * 2 + (t == sentence_starts[s])];
            number[t] = 1;
        }
    for (int64_t g = 0; g < G; members += sizes[g++]) {
        int64_t found[EVIDENCE] = {0};
        for (int64_t i = 0; i < sizes[g]; i++)
            for (int b = 0; b < EVIDENCE; b++)
                found[b] += own[members[i]] >> b & 1;
        for (int64_t i = 0; i < sizes[g]; i++)
            for (int b = 0; b < EVIDENCE; b++)
                if (found[b] > (own[members[i]] >> b & 1))
                    number[members[i]] += 1 << b;
    }
}

/* Sets kinds[s] of each sentence s to 2 if it is in capitals, to 1 if it is a title, else to 0, as
   Text.kinds in inputs/text.py. of (classes): bits of each class of capitals: 0 for words with letters, 1
   for words in capitals, 2 for words that begin with a capital. caps (n,): the tokens' classes. */
void sentence_kinds(int64_t *restrict kinds, const int8_t *restrict caps,
                    const int64_t *restrict starts, int64_t S, const uint8_t *restrict of)
{
    for (int64_t s = 0; s < S; s++) {
        int64_t words = 0, capitals = 0, initials = 0, tokens = starts[s + 1] - starts[s];
        for (int64_t t = starts[s]; t < starts[s + 1]; t++) {
            uint8_t bits = of[caps[t]];
            words += bits & 1, capitals += bits >> 1 & 1, initials += bits >> 2 & 1;
        }
        int in_capitals = tokens > 1 && words >= 1 && (double)capitals >= 0.8 * (double)words;
        int title = words >= 3 && (double)initials >= 0.6 * (double)words;
        kinds[s] = in_capitals ? 2 : title;
    }
}

/* Writes a text with m paddings before and after each sentence. words (N + 2 m S): a token's word is
   numbers[ids[t]]; a padding is 0 before a sentence, and 1 after it. around (N + 2 m S): the tokens'
   contexts, and 0 for the paddings. centres (N): the tokens' indices in words. Returns 1, or 0 if an id is
   out of range. */
int32_t lay_out_words(int64_t *restrict words, int32_t *restrict around, int64_t *restrict centres,
                      const int32_t *restrict numbers, int64_t types, const int32_t *restrict ids,
                      const int32_t *restrict contexts, const int64_t *restrict starts, int64_t S,
                      int64_t m)
{
    int64_t at = 0;
    for (int64_t s = 0; s < S; s++) {
        for (int64_t i = 0; i < m; i++, at++)
            words[at] = around[at] = 0;
        for (int64_t t = starts[s]; t < starts[s + 1]; t++, at++) {
            if (ids[t] < 0 || ids[t] >= types)
                return 0;
            centres[t] = at, words[at] = numbers[ids[t]], around[at] = contexts[t];
        }
        for (int64_t i = 0; i < m; i++, at++)
            words[at] = 1, around[at] = 0;
    }
    return 1;
}
