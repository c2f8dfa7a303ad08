/* Loops over lines of text, each of which ends with LF. lines.py describes each function, and library.py has
   its signature. tests/kernels check that each gives the same result as its Python code.

   The code is C99. No function allocates memory, keeps state, or reads outside of its arguments. */

#include "words.h"

/* ---- a cache of lines ---- */

/* `number` is the kind of the line. Its bytes, with the LF, are raw[at] to raw[at + length - 1]. An entry
   with at = 0 is free. */
typedef struct {
    uint32_t hash, at;
    int32_t length, number;
} Line;

/* A hash table of 2^bits places, each with a few entries, which are in one cache line of the processor. If a
   place is full, a new line replaces one of its lines. */
enum { ENTRIES = 4 };

typedef struct {
    Line *table;
    int64_t bits;
    uint8_t *raw;
    int64_t room, used;
} LineSet;

/* Longer lines are not cached. */
enum { LONGEST = 1 << 12 };

static inline Line *place_of(const LineSet *restrict set, uint64_t hash)
{
    return set->table + ENTRIES * (hash >> (64 - set->bits));
}

/* Returns whether two sequences of bytes are equal. Most of them are short. */
static inline int same_bytes(const uint8_t *a, const uint8_t *b, int64_t length)
{
    if (length > 16)
        return memcmp(a, b, (size_t)length) == 0;
    if (length >= 8)
        return !((eight_at(a) ^ eight_at(b)) | (eight_at(a + length - 8) ^ eight_at(b + length - 8)));
    for (int64_t i = 0; i < length; i++)
        if (a[i] != b[i])
            return 0;
    return 1;
}

static inline const Line *known_line(const LineSet *restrict set, uint64_t hash, const uint8_t *bytes,
                                     int64_t length)
{
    const Line *line = place_of(set, hash);
    for (int k = 0; k < ENTRIES; k++, line++)
        if (line->hash == (uint32_t)hash && line->at && line->length == length &&
            same_bytes(set->raw + line->at, bytes, length))
            return line;
    return 0;
}

static inline void remember(LineSet *restrict set, uint64_t hash, const uint8_t *restrict bytes,
                            int64_t length, int32_t number)
{
    if (length > LONGEST || length > set->room - set->used)
        return;
    Line *line = place_of(set, hash);
    int k = 0;
    while (k < ENTRIES - 1 && line[k].at)
        k++;
    if (line[k].at)
        k = hash >> 8 & (ENTRIES - 1);
    memcpy(set->raw + set->used, bytes, (size_t)length);
    line[k] = (Line){(uint32_t)hash, (uint32_t)set->used, (int32_t)length, number};
    set->used += length;
}

/* Returns a bit for each byte that is LF. Only the lowest bit is reliable; higher ones may be wrong. */
static inline uint64_t lf_bits(uint64_t eight)
{
    const uint64_t ONES = 0x0101010101010101u, HIGHS = ONES << 7;
    uint64_t other = eight ^ ONES * LF;
    return (other - ONES) & ~other & HIGHS;
}

/* Returns the position of a line's LF, and sets its hash, eight bytes at a time. There must be an LF before
   `end`. */
static inline const uint8_t *end_of_line(const uint8_t *at, const uint8_t *end, uint64_t *restrict hash)
{
    uint64_t sum = 0x9E3779B97F4A7C15u;
    for (;; at += 8) {
        int inside = end - at >= 8;
        uint64_t eight = inside ? eight_at(at) : some_at(at, end - at);
        uint64_t lf = lf_bits(eight);
        if (lf) {
            int bits = __builtin_ctzll(lf) - 7;
            *hash = mixed(sum, bits ? (eight << (64 - bits)) | (uint64_t)bits : 0) * 0x9E3779B97F4A7C15u;
            return at + bits / 8;
        }
        sum = mixed(sum, eight);
    }
}

/* ---- reading lines ---- */

/* The layout of rows: the index of the words' column, the number of columns, the delimiter (a tab or a
   space), and the first byte of comments, -1 for none. */
typedef struct {
    int64_t column, width, delimiter, comment;
} Layout;

/* Returns whether the character that begins here is not white space. */
static inline int begins_visibly(const uint8_t *at, const uint8_t *end)
{
    uint8_t a = at[0];
    if (a < ASCII)
        return a > ' ' && a != 127;
    int b = end - at > 1 ? at[1] : 0, c = end - at > 2 ? at[2] : 0;
    switch (a) {
    case 0xC2: /* U+0085, U+00A0 */
        return b != 0x85 && b != 0xA0;
    case 0xE1: /* U+1680 */
        return !(b == 0x9A && c == 0x80);
    case 0xE2: /* U+2000 to U+200A, U+2028, U+2029, U+202F; U+205F */
        return !(b == 0x80 && (c <= 0x8A || c == 0xA8 || c == 0xA9 || c == 0xAF)) &&
               !(b == 0x81 && c == 0x9F);
    case 0xE3: /* U+3000 */
        return !(b == 0x80 && c == 0x80);
    }
    return 1;
}

/* Finds the word of a plain row, from *from to *to - 1. Returns 0 for a line that Python must parse: a line
   with another number of columns, with white space or a control character that may have a meaning, or with
   an empty word; and any line that may be a document mark or a comment. */
static inline int word_of(const uint8_t *line, const uint8_t *end, const Layout *restrict rows,
                          const uint8_t **from, const uint8_t **to)
{
    static const uint8_t MARK[] = "-DOCSTART-";
    enum { MARK_LENGTH = sizeof MARK - 1 };
    if (!begins_visibly(line, end) || *line == '#' || *line == rows->comment)
        return 0;
    if (*line == '-' && end - line >= MARK_LENGTH && memcmp(line, MARK, MARK_LENGTH) == 0)
        return 0;
    uint8_t delimiter = (uint8_t)rows->delimiter;
    int64_t fields = 0;
    const uint8_t *field = line;
    for (const uint8_t *at = line;; at++) {
        if (at < end && *at != delimiter) {
            if (*at < ' ' || *at == 127)
                return 0;
            continue;
        }
        if (delimiter == ' ' && at == field) { /* several spaces count as one, and none at the end */
            if (at == end)
                break;
            field = at + 1;
            continue;
        }
        if (fields++ == rows->column) {
            if (at == field || !begins_visibly(field, end))
                return 0;
            *from = field, *to = at;
        }
        if (at == end)
            break;
        field = at + 1;
    }
    return fields == rows->width;
}

enum { BREAK = -1 };

/* Reads the lines of a text from raw[at] on. Sets kinds[i] of line i to the number of its word in `words`,
   to which new words are added; to BREAK for an empty line; or to the kind that the cache `lines` has for
   the line. New plain rows are added to the cache. For a line that Python must parse, (i, start, end) is
   written to `odd`, and kinds[i] is not set.

   Stops before a line whose word has no room in `words`, or after `most` odd lines. Returns the position at
   which it stopped. counts[0]: the number of lines read so far, which is updated; counts[1] is set to the
   number of odd lines of this call. */
int64_t read_lines(const uint8_t *restrict raw, int64_t size, int64_t at, const Layout *restrict rows,
                   LineSet *restrict lines, WordSet *restrict words, int32_t *restrict kinds,
                   int64_t *restrict odd, int64_t most, int64_t *restrict counts)
{
    const uint8_t *end_of_text = raw + size, *line = raw + at;
    int64_t i = counts[0], found = 0;
    for (const uint8_t *lf; line < end_of_text && found < most; line = lf + 1, i++) {
        uint64_t hash;
        lf = end_of_line(line, end_of_text, &hash);
        int64_t length = lf + 1 - line;
        const uint8_t *end = lf > line && lf[-1] == CR ? lf - 1 : lf;
        if (end == line) {
            kinds[i] = BREAK;
            continue;
        }
        const Line *known = known_line(lines, hash, line, length);
        if (known) {
            kinds[i] = known->number;
            continue;
        }
        const uint8_t *from, *to;
        if (!word_of(line, end, rows, &from, &to)) {
            int64_t *entry = odd + 3 * found++;
            entry[0] = i, entry[1] = line - raw, entry[2] = lf - raw;
            continue;
        }
        int64_t number = number_in(words, from, to - from);
        if (number < 0)
            break;
        kinds[i] = (int32_t)number;
        remember(lines, hash, line, length, (int32_t)number);
    }
    counts[0] = i, counts[1] = found;
    return line - raw;
}

/* Adds n lines of a text to the cache with their kinds, kinds[line]. odd: (line, start, end) of each, as
   read_lines writes it. */
void remember_lines(const uint8_t *restrict raw, int64_t size, const int64_t *restrict odd, int64_t n,
                    const int32_t *restrict kinds, LineSet *restrict lines)
{
    for (int64_t k = 0; k < n; k++, odd += 3) {
        uint64_t hash;
        const uint8_t *line = raw + odd[1], *lf = end_of_line(line, raw + size, &hash);
        remember(lines, hash, line, lf + 1 - line, kinds[odd[0]]);
    }
}

/* Copies a text with a cell at the end of each line, before its LF or CR LF. The cell of line i is
   cells[starts[k]] to cells[starts[k + 1] - 1] with k = column[i]. Returns the number of bytes written. */
int64_t put_cells(uint8_t *restrict out, const uint8_t *restrict raw, int64_t size,
                  const int32_t *restrict column, const uint8_t *restrict cells,
                  const int64_t *restrict starts)
{
    uint8_t *to = out;
    const uint8_t *line = raw, *end_of_text = raw + size;
    for (const uint8_t *lf; line < end_of_text; line = lf + 1, column++) {
        lf = line;
        /* Copies eight bytes at a time. Bytes after the end of the line are overwritten later. `out` has room
           for all of `raw`. */
        for (uint64_t bits; end_of_text - lf >= 8; lf += 8, to += 8) {
            memcpy(to, lf, 8);
            if ((bits = lf_bits(eight_at(lf)))) {
                int64_t k = __builtin_ctzll(bits) / 8;
                lf += k, to += k;
                goto found;
            }
        }
        while (*lf != LF)
            *to++ = *lf++;
    found:;
        int cr = lf > line && lf[-1] == CR;
        to -= cr;
        for (int64_t i = starts[*column]; i < starts[*column + 1]; i++)
            *to++ = cells[i];
        if (cr)
            *to++ = CR;
        *to++ = LF;
    }
    return to - out;
}
