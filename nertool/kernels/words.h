/* Words as bytes, and a set that numbers distinct words. lines.c and words.c share these functions. */

#ifndef NERTOOL_WORDS_H
#define NERTOOL_WORDS_H

#include <stdint.h>
#include <string.h>

enum { LF = '\n', CR = '\r', ASCII = 128 };

/* Returns eight bytes as a number in little-endian order. */
static inline uint64_t eight_at(const uint8_t *bytes)
{
    uint64_t eight;
    memcpy(&eight, bytes, sizeof eight);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    eight = __builtin_bswap64(eight);
#endif
    return eight;
}

/* Returns fewer than eight bytes as a number, like eight_at. The missing bytes are 0. */
static inline uint64_t some_at(const uint8_t *bytes, int64_t n)
{
    uint64_t some = 0;
    for (int64_t k = 0; k < n; k++)
        some |= (uint64_t)bytes[k] << 8 * k;
    return some;
}

static inline uint64_t mixed(uint64_t hash, uint64_t eight)
{
    hash = (hash ^ eight) * 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 32;
}

/* Returns the hash of a word, computed from its length and its bytes, eight at a time. */
static inline uint64_t hashed(const uint8_t *word, int64_t length)
{
    uint64_t hash = (uint64_t)length * 0x9E3779B97F4A7C15u;
    int64_t i = 0;
    for (; i + 8 <= length; i += 8)
        hash = mixed(hash, eight_at(word + i));
    return mixed(hash, some_at(word + i, length - i)) * 0x9E3779B97F4A7C15u;
}

/* Distinct words in the order in which they were added. Word i begins at raw[starts[i]]; its LF is at
   raw[starts[i + 1] - 1]. _Set in words.py has the same fields. */
typedef struct {
    uint8_t *raw;    /* `used` bytes, with room for `room` */
    int64_t room;
    int64_t *starts; /* count + 1 entries, with room for most + 1 */
    int64_t most;
    int32_t *table;  /* a hash table of 2^bits places, more than `most`: the number of a word, or -1 */
    int64_t bits;
    int64_t count, used;
} WordSet;

/* Returns the number of a word in the set. A new word is added. Returns -1 if there is no room for it. */
static inline int64_t number_in(WordSet *restrict set, const uint8_t *restrict word, int64_t length)
{
    uint64_t mask = ((uint64_t)1 << set->bits) - 1;
    uint64_t place = hashed(word, length) >> (64 - set->bits);
    int64_t number;
    for (; (number = set->table[place]) >= 0; place = (place + 1) & mask) {
        int64_t start = set->starts[number];
        if (set->starts[number + 1] - start - 1 == length &&
            memcmp(set->raw + start, word, (size_t)length) == 0)
            return number;
    }
    if (set->count >= set->most || set->room - set->used < length + 1)
        return -1;
    number = set->count++;
    set->table[place] = (int32_t)number;
    memcpy(set->raw + set->used, word, (size_t)length);
    set->used += length + 1;
    set->raw[set->used - 1] = LF;
    set->starts[number + 1] = set->used;
    return number;
}

#endif
