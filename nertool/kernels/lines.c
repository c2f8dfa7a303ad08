/* Loops over lines of text, each of which ends with LF; lines.py says what each does.
   library.py has the signatures. tests/kernels hold each equal to the numpy code that it stands in for.

   Plain C99. Nothing here allocates, keeps anything, or
   looks beyond what its arguments say. */

#include <stdint.h>
#include <string.h>

enum { POWERS = 64, LF = '\n', CR = '\r' };

/* Looks each line up in a table: numbers[i] is its number there, or the line is written to `unknown`
   as (i, start, end). Returns how many are. See linetable.py for the table. */
int64_t look_up_lines(const uint8_t *restrict raw, int64_t size, const uint64_t *restrict powers,
                      uint64_t mix, int64_t shift, const uint64_t *restrict hashes,
                      const int32_t *restrict known, const int64_t *restrict at,
                      const uint8_t *restrict bytes, int64_t used, int32_t *restrict numbers,
                      int64_t *restrict unknown)
{
    int64_t lines = 0, missing = 0;
    for (int64_t start = 0, end; start < size; start = end + 1, lines++) {
        uint64_t hash = 0;
        for (end = start;; end++) {
            int64_t inside = end - start;
            hash += raw[end] * powers[inside < POWERS ? inside : POWERS - 1];
            if (raw[end] == LF)
                break;
        }
        uint64_t place = (hash * mix) >> shift;
        int64_t length = end + 1 - start;
        if (at[place] > 0 && hashes[place] == hash && at[place] + length <= used &&
            memcmp(bytes + at[place], raw + start, (size_t)length) == 0) {
            numbers[lines] = known[place];
            continue;
        }
        int64_t *entry = unknown + 3 * missing++;
        entry[0] = lines, entry[1] = start, entry[2] = end;
    }
    return missing;
}

/* Copies a text with a cell at the end of each line, before the CR that may end it: the cell of line i
   is cells[starts[column[i]]] up to starts[column[i] + 1]. Returns how many bytes were written. */
int64_t put_cells(uint8_t *restrict out, const uint8_t *restrict raw, int64_t size,
                  const int32_t *restrict column, const uint8_t *restrict cells,
                  const int64_t *restrict starts)
{
    uint8_t *to = out;
    for (int64_t start = 0, end; start < size; start = end + 1, column++) {
        for (end = start; raw[end] != LF; end++)
            *to++ = raw[end];
        int cr = end > start && raw[end - 1] == CR;
        to -= cr;
        for (int64_t i = starts[*column]; i < starts[*column + 1]; i++)
            *to++ = cells[i];
        if (cr)
            *to++ = CR;
        *to++ = LF;
    }
    return to - out;
}

/* Whether a character that begins with this byte of UTF-8 is no mark and no white space: a letter or digit
   of ASCII, or one beyond U+00BF that is not in the blocks with other white space (E1, E2, E3). */
static inline int is_plain(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c >= 0xC3 && !(c >= 0xE1 && c <= 0xE3));
}

/* The words of lines of CoNLL columns, (line, start, end) each as look_up_lines writes them: words[i] is
   (start, end) of the column-th field, counted from 0, of `width` fields divided by single delimiters.

   Start -1 for a line that needs a closer look: with another number of fields, or an empty one; where the
   line or the word begins with a character that is not plain; and with a blank or a character of control
   inside a field. Such are blank lines, marks, comments, and faults. */
void cut_rows(const uint8_t *restrict raw, const int64_t *restrict lines, int64_t n, int64_t column,
              int64_t width, uint8_t delimiter, int64_t *restrict words)
{
    for (int64_t i = 0; i < n; i++, lines += 3, words += 2) {
        int64_t start = lines[1], end = lines[2], fields = 0, from = start;
        int plain = start < end && is_plain(raw[start]);
        words[0] = -1;
        for (int64_t j = start; plain && j <= end; j++) {
            if (j == end || raw[j] == delimiter) {
                plain = j > from;
                if (fields++ == column) {
                    words[0] = from, words[1] = j;
                    plain = plain && (is_plain(raw[from]) || raw[from] < 128);
                }
                from = j + 1;
            } else
                plain = raw[j] > ' ' && raw[j] != 127;
        }
        if (!plain || fields != width)
            words[0] = -1;
    }
}
