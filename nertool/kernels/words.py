"""Kernels on words: find words in a list, and what a word looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Bytes, Int32s, Int64s, address_of

AFFIXES = 7  # of a word


class Index(NamedTuple):
    """A list of words as bytes, each with an LF behind it; where each begins, (n,); and a table of
    2^bits places, with the number of a word or −1."""

    raw: Bytes
    starts: Int64s
    table: Int32s
    bits: int


def index_words(raw: Bytes, count: int) -> Index | None:
    """Index a list of `count` words, each of which ends with LF. Of equal words the last counts.

    None: there is no kernel for it, or the words are not so many.
    """
    if library.loaded is None:
        return None
    bits = max(4, (2 * count).bit_length())
    index = Index(raw, np.empty(count, np.int64), np.full(1 << bits, -1, np.int32), bits)
    if not count and not len(raw):
        return index
    text = address_of(raw, np.uint8), len(raw)
    tables = address_of(index.starts, np.int64), address_of(index.table, np.int32)
    found = library.loaded.index_words(*text, count, *tables, bits)
    return index if found == count and raw[-1] == ord("\n") else None


def joined(words: Sequence[str]) -> Bytes | None:
    """Return words as bytes with an LF behind each; None if a word holds an LF itself."""
    text = "\n".join(words)
    if text.count("\n") != len(words) - 1:
        return None
    return np.frombuffer((text + "\n").encode("utf-8", "surrogatepass"), dtype=np.uint8)


def find_words(words: Bytes, count: int, index: Index) -> Int32s | None:
    """Return the number in a list of each of `count` words as `joined` returns them, (count,); −1 for a
    word that is not there. None: there is no kernel for it."""
    if library.loaded is None:
        return None
    numbers = np.empty(count, dtype=np.int32)
    library.loaded.find_words(
        *(address_of(words, np.uint8), len(words), address_of(numbers, np.int32)),
        *(address_of(index.raw, np.uint8), len(index.raw)),
        *(address_of(index.starts, np.int64), address_of(index.table, np.int32), index.bits),
    )
    return numbers


class Looks(NamedTuple):
    """Numbers of n words, as features.py has them: caps, shape (n,) and affixes (n, 7). caps is 0 for a
    word that is not in ASCII, for which the others mean nothing."""

    caps: Int32s
    shape: Int32s
    affixes: Int32s


def look_at_words(
    words: Bytes, count: int, shapes: int, affixes: int, crcs: NDArray[np.uint32]
) -> Looks | None:
    """Return what `count` words as `joined` returns them look like. shapes, affixes: the sizes of the
    features; crcs (256,): CRC-32's table. None: there is no kernel for it."""
    if library.loaded is None:
        return None
    caps, shape = np.zeros((2, count), dtype=np.int32)
    looks = Looks(caps, shape, np.zeros((count, AFFIXES), dtype=np.int32))
    library.loaded.look_at_words(
        *(address_of(words, np.uint8), len(words), shapes, affixes),
        address_of(crcs, np.uint32),
        *(address_of(array, np.int32) for array in looks),
    )
    return looks
