"""Kernels on lines of text: find the words of rows, with what is remembered of lines, and put a cell at each
line's end."""

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

_BITS = 15  # of a place in the table of lines
_HELD_BYTES = 1 << 23  # of the lines that are remembered
_LEAST_ROOM = 1 << 12  # bytes, as many as the longest line has: with less room, all are forgotten
_MOST_ODD = 256  # lines that need a closer look at a time: what is found for them is then known


class _Lines(ctypes.Structure):
    """A LineSet of lines.c."""

    _fields_ = (("table", POINTER), ("bits", INT), ("raw", POINTER), ("room", INT), ("used", INT))


class _Layout(ctypes.Structure):
    """A Layout of lines.c."""

    _fields_ = (("column", INT), ("width", INT), ("delimiter", INT), ("comment", INT))


class RowReader:
    """What plain rows of columns are: the words of one column, numbered in the order in which they come.

    Only for where the library is loaded.
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
        """column: the words', from 0, of `width` columns; delimiter: a tab or a space; comment: what comments
        begin with, or empty; bits: of a place in the table of lines; held_bytes: of the lines in it."""
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
        """Read lines of a text that ends with LF, from a byte on, which begins line `line`.

        Writes kinds[i], (n,): the number of line i's word, −1 for an empty line, or what was remembered.
        Returns the byte and the line up to which was read; and the lines that need a closer look, (m, 3):
        number, start, and end at the LF. Their kinds, and `remember`, are the caller's to give.
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
            # The next word finds no room. It is shorter than its line.
            self.words.make_room(text.find(b"\n", stop) + 1 - stop, 1)
        return stop, int(counts[0]), odd[:found]

    def remember(self, text: bytes, lines: Int64s, kinds: Int32s) -> None:
        """Remember the kinds of lines (m, 3) as `read` returns them."""
        if len(lines):
            needed().remember_lines(
                *(address_of(np.frombuffer(text, np.uint8), np.uint8), len(text)),
                *(address_of(lines, np.int64), len(lines), address_of(kinds, np.int32)),
                ctypes.byref(self._lines),
            )


def put_cells(raw: Bytes, column: Int32s, cells: Bytes, starts: Int64s, out: Bytes) -> bool:
    """Write a text that ends with LF with a cell at the end of each line, before its CR LF or LF:
    cells[starts[k] : starts[k + 1]], k = column[i] for line i."""
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
