/* Loops over words, each of which ends with LF. words.py describes each function, and library.py has its
   signature. tests/kernels check that each gives the same result as its Python code.

   The code is C99. No function allocates memory, keeps state, or reads outside of its arguments. */

#include "words.h"

/* ---- an index of words in a list ---- */

static inline int64_t length_of(const uint8_t *word, const uint8_t *end)
{
    const uint8_t *lf = memchr(word, LF, (size_t)(end - word));
    return (lf ? lf : end) - word;
}

/* Enters the words of a list into a hash table of 2^bits places, which must all be -1. A word's number is
   at its place, or if that is taken at the next free one. Sets starts[i] to the start of word i. Of equal
   words, the last counts. Returns the number of words, or -1 if there are more than `most`. */
int64_t index_words(const uint8_t *restrict raw, int64_t size, int64_t most, int64_t *restrict starts,
                    int32_t *restrict table, int64_t bits)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    int64_t n = 0;
    for (int64_t at = 0, length; at < size; at += length + 1, n++) {
        if (n == most)
            return -1;
        length = length_of(raw + at, raw + size);
        starts[n] = at;
        uint64_t place = hashed(raw + at, length) >> (64 - bits);
        for (; table[place] >= 0; place = (place + 1) & mask) {
            int64_t other = starts[table[place]];
            if (memcmp(raw + other, raw + at, (size_t)length) == 0 && raw[other + length] == LF)
                break;
        }
        table[place] = (int32_t)n;
    }
    return n;
}

/* Sets numbers[i] to the number in the list of the i-th word of `words`, or to -1. Words and list end with
   LF. */
void find_words(const uint8_t *restrict words, int64_t words_size, int32_t *restrict numbers,
                const uint8_t *restrict raw, int64_t size, const int64_t *restrict starts,
                const int32_t *restrict table, int64_t bits)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (int64_t at = 0, length, i = 0; at < words_size; at += length + 1, i++) {
        length = length_of(words + at, words + words_size);
        uint64_t place = hashed(words + at, length) >> (64 - bits);
        int32_t number;
        for (; (number = table[place]) >= 0; place = (place + 1) & mask) {
            int64_t other = starts[number];
            if (other + length < size && raw[other + length] == LF &&
                memcmp(raw + other, words + at, (size_t)length) == 0)
                break;
        }
        numbers[i] = number;
    }
}

/* Sets numbers[i] to the number in the set of the i-th word of `words`. New words are added; the set must
   have room for all of them. Each word ends with LF. */
void number_words(const uint8_t *restrict words, int64_t size, WordSet *restrict set,
                  int32_t *restrict numbers)
{
    for (int64_t at = 0, length; at < size; at += length + 1) {
        length = length_of(words + at, words + size);
        *numbers++ = (int32_t)number_in(set, words + at, length);
    }
}

/* ---- an index of integers in a list ---- */

static inline uint64_t place_of(int64_t key, int64_t bits)
{
    return (uint64_t)key * 0x9E3779B97F4A7C15u >> (64 - bits);
}

/* Enters keys[first] to keys[after - 1], which must be distinct and new, into a hash table of 2^bits
   places, more than `after`. A place has the index of its key, or -1. */
void enter_keys(const int64_t *restrict keys, int64_t first, int64_t after, int32_t *restrict table,
                int64_t bits)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (int64_t i = first; i < after; i++) {
        uint64_t place = place_of(keys[i], bits);
        while (table[place] >= 0)
            place = (place + 1) & mask;
        table[place] = (int32_t)i;
    }
}

/* Sets numbers[i] to the index of others[i] in keys, or to -1. */
void find_keys(const int64_t *restrict others, int64_t n, const int64_t *restrict keys,
               const int32_t *restrict table, int64_t bits, int32_t *restrict numbers)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (int64_t i = 0; i < n; i++) {
        uint64_t place = place_of(others[i], bits);
        int32_t number;
        while ((number = table[place]) >= 0 && keys[number] != others[i])
            place = (place + 1) & mask;
        numbers[i] = number;
    }
}

/* ---- word features of words in ASCII, as in inputs/features.py ---- */

static inline int is_upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
static inline int is_lower(uint8_t c) { return c >= 'a' && c <= 'z'; }
static inline uint8_t lowered(uint8_t c) { return is_upper(c) ? (uint8_t)(c + 32) : c; }

/* Updates a CRC-32 with one byte, by a table of 256 numbers. */
static inline uint32_t crc(uint32_t sum, uint8_t byte, const uint32_t *restrict crcs)
{
    return crcs[(sum ^ byte) & 0xFF] ^ (sum >> 8);
}

enum { LOWER = 1, INITIAL, CAPITALS, MIXED, SIGNS, SINGLE };

static int32_t caps_of(const uint8_t *word, int64_t length)
{
    int64_t upper = 0, lower = 0;
    for (int64_t i = 0; i < length; i++) {
        upper += is_upper(word[i]);
        lower += is_lower(word[i]);
    }
    if (lower && !upper)
        return LOWER;
    if (upper && !lower)
        return upper == 1 ? SINGLE : CAPITALS;
    if (lower && upper == 1 && is_upper(word[0]))
        return INITIAL;
    return upper + lower ? MIXED : SIGNS;
}

/* Hashes the shape of a word: X, x and 0 for letters and digits, other characters unchanged, and a run of the
   same sign shortened to one. */
static int32_t shape_of(const uint8_t *word, int64_t length, int64_t shapes, const uint32_t *restrict crcs)
{
    uint32_t sum = 0xFFFFFFFFu;
    int last = -1;
    for (int64_t i = 0; i < length; i++) {
        uint8_t c = word[i];
        uint8_t sign = is_upper(c) ? 'X' : is_lower(c) ? 'x' : c >= '0' && c <= '9' ? '0' : c;
        if (sign != last)
            sum = crc(sum, sign, crcs);
        last = sign;
    }
    return (int32_t)(1 + (sum ^ 0xFFFFFFFFu) % (uint32_t)(shapes - 1));
}

/* Hashes prefixes of 1 to 3 letters as "1<a", and suffixes of 1 to 4 letters as "1a>", in lower case. */
static void affixes_of(const uint8_t *word, int64_t length, int64_t affixes, int32_t *restrict out,
                       const uint32_t *restrict crcs)
{
    enum { PREFIXES = 3, SUFFIXES = 4 };
    for (int64_t k = 0; k < PREFIXES + SUFFIXES; k++) {
        int is_prefix = k < PREFIXES;
        int64_t n = is_prefix ? k + 1 : k - PREFIXES + 1;
        int64_t letters = n < length ? n : length;
        const uint8_t *first = is_prefix ? word : word + length - letters;
        uint32_t sum = crc(0xFFFFFFFFu, (uint8_t)('0' + n), crcs);
        if (is_prefix)
            sum = crc(sum, '<', crcs);
        for (int64_t i = 0; i < letters; i++)
            sum = crc(sum, lowered(first[i]), crcs);
        if (!is_prefix)
            sum = crc(sum, '>', crcs);
        out[k] = (int32_t)(1 + (sum ^ 0xFFFFFFFFu) % (uint32_t)(affixes - 1));
    }
}

/* Writes for each word in ASCII its class of capitals, the number of its shape, 1 ... shapes - 1, and those
   of its affixes (n, 7), 1 ... affixes - 1. Any other word gets caps 0, and nothing else is set. */
void look_at_words(const uint8_t *restrict words, int64_t size, int64_t shapes, int64_t affixes,
                   const uint32_t *restrict crcs, int32_t *restrict caps, int32_t *restrict shape,
                   int32_t *restrict affix)
{
    for (int64_t at = 0, length, i = 0; at < size; at += length + 1, i++, affix += 7) {
        length = length_of(words + at, words + size);
        const uint8_t *word = words + at;
        int ascii = 1;
        for (int64_t k = 0; k < length; k++)
            ascii &= word[k] < ASCII;
        caps[i] = 0;
        if (!ascii)
            continue;
        caps[i] = caps_of(word, length);
        shape[i] = shape_of(word, length, shapes, crcs);
        affixes_of(word, length, affixes, affix, crcs);
    }
}
