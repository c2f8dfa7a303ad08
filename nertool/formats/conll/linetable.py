"""A hash table of lines: looks up many lines at once by their bytes, without making strings.

Used where the kernel of kernels/lines.py can't read the lines: without compiled kernels, and for delimiters
other than space and tab. A line's hash gives its slot in the table. The line's bytes are then compared with
those in the table, so that two lines with equal hashes are not confused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets

Bytes = NDArray[np.uint8]
_PIECE = 1 << 17  # bytes of lines that are looked up together: they fit in the processor's cache
_BITS = 18  # bits of a slot number
# The factors of a line's bytes. All bytes from the 64th on have the same factor. Factors are odd, so that
# none is 0 modulo 2^64.
_POWERS = np.cumprod(np.full(64, 0x9E3779B97F4A7C15, dtype=np.uint64), dtype=np.uint64)
_MIX = np.uint64(0xD6E8FEB86659FD93)


def line_bounds(raw: Bytes) -> tuple[Offsets, Offsets]:
    """Return the byte positions of the n lines' starts and of their LFs, (n,) each. The text ends with LF."""
    ends = np.flatnonzero(raw == ord("\n"))
    starts = np.empty_like(ends)
    if len(starts):
        starts[0], starts[1:] = 0, ends[:-1] + 1
    return starts, ends


class LineTable:
    """A table that maps lines to numbers of the caller. A line may be replaced by one with the same slot."""

    def __init__(self) -> None:
        size = 1 << _BITS
        self._hashes = np.zeros(size, dtype=np.uint64)
        self._numbers = np.zeros(size, dtype=np.int32)
        self._at = np.zeros(size, dtype=np.int64)  # where the line's bytes begin in `_bytes`
        self._bytes = np.zeros(1 << 16, dtype=np.uint8)
        self._used = 1  # position 0 is never used: in `_at`, it marks a free slot

    def read(self, text: bytes, at: int, line: int, kinds: Ids) -> tuple[int, int, Offsets]:
        """Look up the next lines of a text that ends with LF.

        at: the byte where to start. line: the number of the line that begins there. Writes the found numbers
        to kinds (n,). Returns the byte and the line where reading stopped, and the lines that are not in the
        table, (m, 3): line number, start byte, and the byte of the LF. The caller sets their kinds, and
        passes them to `remember`."""
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
        # Positions beyond the stored bytes can't match, so clipping them to the array is safe.
        same = self._bytes.take(there, mode="clip") == text
        known = (at > 0) & (self._hashes[places] == hashes)
        if not same.all():
            known &= np.logical_and.reduceat(same, np.cumsum(lengths) - lengths)
        return self._numbers[places], known

    def remember(self, text: bytes, lines: Offsets, kinds: Ids) -> None:
        """Put distinct lines (m, 3), as `read` returns them, into the table with their kinds."""
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
        """Return slots (n,), hashes (n,) and lengths with LF (n,) of the lines; and for all their bytes in
        order (k,), the position in the line and the byte."""
        lengths = ends + 1 - starts
        text = raw[starts[0] : ends[-1] + 1]
        if len(text) != lengths.sum():  # the lines are not contiguous
            text = np.concatenate([raw[a : b + 1] for a, b in zip(starts, ends, strict=True)])
        firsts = np.cumsum(lengths) - lengths
        inside = np.arange(len(text)) - np.repeat(firsts, lengths)
        values = _POWERS.take(inside, mode="clip")
        values *= text
        hashes = np.add.reduceat(values, firsts)
        places = ((hashes * _MIX) >> np.uint64(64 - _BITS)).astype(np.int64)
        return places, hashes, lengths, inside, text
