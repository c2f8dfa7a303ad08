"""Kernels on words: find words in a list, and compute word features."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Bytes, Int32s, Int64s, address_of, needed

AFFIXES = 7  # the number of affixes of a word


class Index(NamedTuple):
    """A list of words with a hash table.

    raw: the words as bytes, each followed by LF; starts (n,): the start of each word; table: 2^bits places
    with the number of a word, or −1.
    """

    raw: Bytes
    starts: Int64s
    table: Int32s
    bits: int


def index_words(raw: Bytes, count: int) -> Index | None:
    """Return an index of `count` words, each of which ends with LF. Of equal words, the last counts.

    Return None without the kernel, or if there are not exactly `count` words.
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
    """Return words as bytes, each followed by LF; None if a word contains LF."""
    text = "\n".join(words)
    if text.count("\n") != len(words) - 1:
        return None
    return np.frombuffer((text + "\n").encode("utf-8", "surrogatepass"), dtype=np.uint8)


def find_words(words: Bytes, count: int, index: Index) -> Int32s | None:
    """Return the number of each of `count` words in a list, (count,), or −1 if it is not in the list.

    words: bytes, as `joined` returns them. Return None without the kernel.
    """
    if library.loaded is None:
        return None
    numbers = np.empty(count, dtype=np.int32)
    library.loaded.find_words(
        *(address_of(words, np.uint8), len(words), address_of(numbers, np.int32)),
        *(address_of(index.raw, np.uint8), len(index.raw)),
        *(address_of(index.starts, np.int64), address_of(index.table, np.int32), index.bits),
    )
    return numbers


class _Set(ctypes.Structure):
    """A WordSet of words.h."""

    _fields_ = (
        ("raw", library.POINTER),
        ("room", library.INT),
        ("starts", library.POINTER),
        ("most", library.INT),
        ("table", library.POINTER),
        ("bits", library.INT),
        ("count", library.INT),
        ("used", library.INT),
    )


class WordSet:
    """Distinct words as bytes, numbered in the order in which they were added, with a hash table.

    It needs the library. c: the C structure, whose address is passed to kernels, and which they change.
    """

    def __init__(self) -> None:
        self._bytes = np.empty(0, dtype=np.uint8)
        self._starts = np.zeros(1, dtype=np.int64)
        self._table = np.empty(0, dtype=np.int32)
        self.c = _Set()
        self.make_room(1 << 12, 1 << 10)

    def __len__(self) -> int:
        return int(self.c.count)

    @property
    def used(self) -> int:
        """The number of bytes of all words, each followed by LF."""
        return int(self.c.used)

    def bytes_from(self, first: int) -> Bytes:
        """Return the words from number `first` on, each followed by LF. Valid until the set grows."""
        return self._bytes[int(self._starts[first]) : self.used]

    def strings_from(self, first: int) -> list[str]:
        """Return the words from number `first` on as strings."""
        return self.bytes_from(first).tobytes().decode("utf-8", "surrogatepass").split("\n")[:-1]

    def make_room(self, more_bytes: int, more_words: int) -> None:
        """Make room for more bytes and words. If there is too little, the memory is at least doubled."""
        count, used = len(self), self.used
        if self.c.room - used >= more_bytes and self.c.most - count >= more_words:
            return
        room, most = used + max(used, more_bytes), count + max(count, more_words)
        kept, starts = np.empty(room, dtype=np.uint8), np.empty(most + 1, dtype=np.int64)
        kept[:used], starts[: count + 1] = self._bytes[:used], self._starts[: count + 1]
        bits = (2 * most).bit_length()
        table = np.full(1 << bits, -1, dtype=np.int32)
        texts = address_of(kept, np.uint8), address_of(starts, np.int64)
        if count:
            needed().index_words(
                *(texts[0], used, count, texts[1], address_of(table, np.int32), bits)
            )
        self._bytes, self._starts, self._table = kept, starts, table
        self.c = _Set(
            *(texts[0], room, texts[1], most, address_of(table, np.int32), bits, count, used)
        )

    def add(self, words: Bytes | bytes, count: int) -> Int32s:
        """Return the number of each of `count` words, in the form of `joined`. New words are added."""
        numbers = np.empty(count, dtype=np.int32)
        self.make_room(len(words), count)
        raw = np.frombuffer(words, dtype=np.uint8)
        needed().number_words(
            *(address_of(raw, np.uint8), len(raw), ctypes.byref(self.c)),
            address_of(numbers, np.int32),
        )
        return numbers


class Looks(NamedTuple):
    """Word features of n words (inputs/features.py): caps (n,), shape (n,) and affixes (n, 7).

    caps is 0 for a word that is not in ASCII; its other features are not set.
    """

    caps: Int32s
    shape: Int32s
    affixes: Int32s


def look_at_words(
    words: Bytes, count: int, shapes: int, affixes: int, crcs: NDArray[np.uint32]
) -> Looks | None:
    """Return the word features of `count` words, which are in the form of `joined`.

    shapes, affixes: the sizes of the features; crcs (256,): the table of CRC-32. Return None without the
    kernel.
    """
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
