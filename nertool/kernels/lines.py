"""Kernels on lines of text: read the words of rows, with a cache of lines, and append a cell to each line."""

from __future__ import annotations

import ctypes

import numpy as np

from nertool.kernels import library
from nertool.kernels.library import (
    CACHE_LINE,
    INT,
    POINTER,
    Bytes,
    Int32s,
    Int64s,
    address_of,
    empty_lines,
    needed,
)
from nertool.kernels.words import WordSet

_BITS = 15  # the cache of lines has 2^15 places
_HELD_BYTES = 1 << 23  # memory for the cached lines
_LEAST_ROOM = 1 << 12  # bytes of the longest cached line; with less room, the cache is emptied
_MOST_ODD = 256  # lines that a call leaves to Python; the next call then knows their kinds


class _Lines(ctypes.Structure):
    """A LineSet of lines.c."""

    _fields_ = (("table", POINTER), ("bits", INT), ("raw", POINTER), ("room", INT), ("used", INT))


class _Layout(ctypes.Structure):
    """A Layout of lines.c."""

    _fields_ = (("column", INT), ("width", INT), ("delimiter", INT), ("comment", INT))


class RowReader:
    """A reader of plain rows of columns. It numbers the words of one column in the order of occurrence.

    It needs the library.
    """

    def __init__(
        self,
        column: int,
        width: int,
        delimiter: str,
        comment: str,
        bits: int = _BITS,
        held_bytes: int = _HELD_BYTES,
    ) -> None:
        """Prepare a reader.

        column: the index of the words' column, from 0, of `width` columns; delimiter: a tab or a space;
        comment: the prefix of comments, or empty; bits: the cache of lines has 2^bits places; held_bytes: the
        memory for its lines.
        """
        first = comment.encode()[0] if comment else -1
        self._layout = _Layout(column, width, ord(delimiter), first)
        self.words = WordSet()
        self._table = empty_lines((CACHE_LINE << bits,), np.uint8)
        self._table[:] = 0
        self._held = np.empty(held_bytes, dtype=np.uint8)
        table, held = address_of(self._table, np.uint8), address_of(self._held, np.uint8)
        self._lines = _Lines(table, bits, held, held_bytes, 1)
        self._counts = np.zeros(2, dtype=np.int64)

    def read(self, text: bytes, at: int, line: int, kinds: Int32s) -> tuple[int, int, Int64s]:
        """Read lines of a text that ends with LF.

        at: the byte at which to start, the first of line number `line`. kinds (n,): kinds[i] is set to the
        number of line i's word, −1 for an empty line, or the kind that `remember` stored for the line.
        Returns the byte and the line at which reading stopped, and the lines that the caller must parse
        (m, 3): number, start, and end (at the LF). The caller sets their kinds and calls `remember`.
        """
        if self._lines.room - self._lines.used < _LEAST_ROOM:
            self._table[:], self._lines.used = 0, 1
        odd = np.empty((_MOST_ODD, 3), dtype=np.int64)
        counts = self._counts
        counts[0] = line
        stop = needed().read_lines(
            *(address_of(np.frombuffer(text, np.uint8), np.uint8), len(text), at),
            *(ctypes.byref(self._layout), ctypes.byref(self._lines)),
            *(ctypes.byref(self.words.c), address_of(kinds, np.int32)),
            *(address_of(odd, np.int64), len(odd), address_of(counts, np.int64)),
        )
        found = int(counts[1])
        if stop < len(text) and found < len(odd):
            # There is no room for the next word, which is shorter than its line.
            self.words.make_room(text.find(b"\n", stop) + 1 - stop, 1)
        return stop, int(counts[0]), odd[:found]

    def remember(self, text: bytes, lines: Int64s, kinds: Int32s) -> None:
        """Store the kinds of lines (m, 3), which `read` returned, in the cache."""
        if len(lines):
            needed().remember_lines(
                *(address_of(np.frombuffer(text, np.uint8), np.uint8), len(text)),
                *(address_of(lines, np.int64), len(lines), address_of(kinds, np.int32)),
                ctypes.byref(self._lines),
            )


def put_cells(raw: Bytes, column: Int32s, cells: Bytes, starts: Int64s, out: Bytes) -> bool:
    """Write to `out` a text with a cell at the end of each line, before its CR LF or LF.

    The text ends with LF. The cell of line i is cells[starts[k] : starts[k + 1]] with k = column[i]. Return
    False if nothing was done because the kernel is missing.
    """
    if library.loaded is None:
        return False
    texts = address_of(out, np.uint8), address_of(raw, np.uint8), len(raw)
    library.loaded.put_cells(
        *texts,
        address_of(column, np.int32),
        address_of(cells, np.uint8),
        address_of(starts, np.int64),
    )
    return True
