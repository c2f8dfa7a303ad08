"""Lines told by their bytes: numbers for those met before, many at a time, without a string for any.

Only for where there are no kernels (see kernels/lines.py). A line's hash finds its place in a table, and its
bytes are compared with those that stand there: so no two lines are ever taken for one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets

Bytes = NDArray[np.uint8]
_PIECE = 1 << 17  # bytes of lines that are looked up together: they stay in the processor's cache
_BITS = 18  # of a place in the table
# The factors of a line's bytes, those after the 64th alike. They are odd: none is 0 modulo 2^64.
_POWERS = np.cumprod(np.full(64, 0x9E3779B97F4A7C15, dtype=np.uint64), dtype=np.uint64)
_MIX = np.uint64(0xD6E8FEB86659FD93)


def line_bounds(raw: Bytes) -> tuple[Offsets, Offsets]:
    """Return where the lines of a text that ends with LF start, and where their LFs stand: (n,) each."""
    ends = np.flatnonzero(raw == ord("\n"))
    starts = np.empty_like(ends)
    if len(starts):
        starts[0], starts[1:] = 0, ends[:-1] + 1
    return starts, ends


class LineTable:
    """A table of lines, each with a number of the caller's. A line may lose its place to another."""

    def __init__(self) -> None:
        size = 1 << _BITS
        self._hashes = np.zeros(size, dtype=np.uint64)
        self._numbers = np.zeros(size, dtype=np.int32)
        self._at = np.zeros(size, dtype=np.int64)  # where its bytes stand in `_bytes`
        self._bytes = np.zeros(1 << 16, dtype=np.uint8)
        self._used = 1  # 0 says of a place that it is free

    def read(self, text: bytes, at: int, line: int, kinds: Ids) -> tuple[int, int, Offsets]:
        """Look up some lines of a text that ends with LF, from a byte on, which begins line `line`.

        Writes their numbers to kinds (n,). Returns the byte and the line up to which was read; and the lines
        that are not in the table, (m, 3): number, start, and end at the LF. Their kinds, and `remember`, are
        the caller's to give."""
        stop = text.find(b"\n", at + _PIECE) + 1 or len(text)
        raw = np.frombuffer(text, dtype=np.uint8)[at:stop]
        starts, ends = line_bounds(raw)
        after = line + len(starts)
        kinds[line:after], known = self._known(raw, starts, ends)
        new = np.flatnonzero(~known)
        return stop, after, np.stack([line + new, at + starts[new], at + ends[new]], axis=1)

    def _known(self, raw: Bytes, starts: Offsets, ends: Offsets) -> tuple[Ids, NDArray[np.bool_]]:
        """Return the lines' numbers, (n,) int32, and whether each is in the table, (n,)."""
        places, hashes, lengths, inside, text = self._hashed(raw, starts, ends)
        at = self._at[places]
        there = np.repeat(at, lengths)
        there += inside
        # Beyond the last line's bytes there is nothing that could be equal: clip stays within.
        same = self._bytes.take(there, mode="clip") == text
        known = (at > 0) & (self._hashes[places] == hashes)
        if not same.all():
            known &= np.logical_and.reduceat(same, np.cumsum(lengths) - lengths)
        return self._numbers[places], known

    def remember(self, text: bytes, lines: Offsets, kinds: Ids) -> None:
        """Put lines (m, 3) as `read` returns them, each once, with their kinds into the table."""
        if not len(lines):
            return
        numbers, starts, ends = lines.T
        raw = np.frombuffer(text, dtype=np.uint8)
        places, hashes, lengths, _, text_of_lines = self._hashed(raw, starts, ends)
        after = self._used + int(lengths.sum())
        if after > len(self._bytes):
            room = max(2 * len(self._bytes), after)
            self._bytes = np.concatenate(
                [self._bytes, np.zeros(room - len(self._bytes), dtype=np.uint8)]
            )
        self._bytes[self._used : after] = text_of_lines
        self._hashes[places], self._numbers[places] = hashes, kinds[numbers]
        self._at[places] = self._used + np.cumsum(lengths) - lengths
        self._used = after

    @staticmethod
    def _hashed(
        raw: Bytes, starts: Offsets, ends: Offsets
    ) -> tuple[Offsets, NDArray[np.uint64], Offsets, Offsets, Bytes]:
        """Return the lines' places and hashes (n,), lengths with LF (n,); of their bytes, one after
        another, each one's place in its line, and the bytes."""
        lengths = ends + 1 - starts
        text = raw[starts[0] : ends[-1] + 1]
        if len(text) != lengths.sum():  # they do not stand beside each other
            text = np.concatenate([raw[a : b + 1] for a, b in zip(starts, ends, strict=True)])
        firsts = np.cumsum(lengths) - lengths
        inside = np.arange(len(text)) - np.repeat(firsts, lengths)
        values = _POWERS.take(inside, mode="clip")
        values *= text
        hashes = np.add.reduceat(values, firsts)
        places = ((hashes * _MIX) >> np.uint64(64 - _BITS)).astype(np.int64)
        return places, hashes, lengths, inside, text
