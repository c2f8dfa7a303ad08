"""Compose vectors of unknown words from the vectors of their character n-grams, as fastText and floret do.

A word is written between signs for its begin and end, such as <Haus>, and cut into all its n-grams of some
lengths: <Ha, Hau, aus, us>, <Hau, …. These are called its parts. A hash maps each part to the number of a
row. The word's vector is the mean of these rows (Bojanowski et al. 2017). A table may have only some of the
rows; then the mean is over these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.vectors.hashing import fnv1a, murmur3
from nertool.vectors.rows.compressed_rows import CompressedRows
from nertool.vectors.rows.rows import Rows, arrays_of, tables_in

FASTTEXT, FLORET = "fasttext", "floret"
_WORDS = 1000  # words hashed at a time


@dataclass(frozen=True)
class Parts:
    """How words are cut into parts, and how parts are hashed.

    kind: FASTTEXT, or FLORET, which also hashes the whole word, and can use several rows for each part.
    least, most: the shortest and longest length of a part in characters. buckets: the number of rows.
    hashes: the number of rows for each part. seed: of floret's hash. begin, end: the signs around a word.
    Errors: ValueError for impossible values.
    """

    kind: str
    least: int
    most: int
    buckets: int
    hashes: int = 1
    seed: int = 0
    begin: str = "<"
    end: str = ">"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.kind not in (FASTTEXT, FLORET) or not 0 < self.buckets < 1 << 31:
            raise ValueError(f"found parts of the kind {self.kind!r} in {self.buckets} rows")
        if not 0 <= self.least <= 100 or not 0 <= self.most <= 100 or not 1 <= self.hashes <= 4:
            raise ValueError(f"found parts of {self.least} to {self.most} letters")

    def numbers(self, words: Sequence[str]) -> list[NDArray[np.int64]]:
        """Return the row numbers of each word's parts. A part that occurs twice has its rows twice."""
        found: list[NDArray[np.int64]] = []
        for start in range(0, len(words), _WORDS):
            found += self._numbers(words[start : start + _WORDS])
        return found

    def _numbers(self, words: Sequence[str]) -> list[NDArray[np.int64]]:
        marked = [f"{self.begin}{word}{self.end}" for word in words]
        cut = [list(self._cut(word)) for word in marked]
        hashed = self._hashed([_bytes(part) for parts in cut for part in parts])
        ends = np.cumsum([len(parts) for parts in cut])
        numbers = np.split(hashed, ends[:-1])
        if self.kind == FLORET:
            whole = [self._hashed([_bytes(word)]) for word in marked]
            numbers = [np.concatenate(both) for both in zip(whole, numbers, strict=True)]
        return [own.reshape(-1) for own in numbers]

    def _cut(self, marked: str) -> Iterator[str]:
        for i in range(len(marked)):
            for j in range(i + max(1, self.least), min(i + self.most, len(marked)) + 1):
                if j - i > 1 or 0 < i < len(marked) - 1:
                    yield marked[i:j]

    def _hashed(self, parts: Sequence[bytes]) -> NDArray[np.int64]:
        """Return the row numbers (n, hashes) of n parts."""
        floret = self.kind == FLORET
        hashed = murmur3(parts, self.seed)[:, : self.hashes] if floret else fnv1a(parts)[:, None]
        return hashed.astype(np.int64) % self.buckets


def _bytes(part: str) -> bytes:
    return part.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, eq=False)
class Subwords:
    """A table of the rows of parts of words.

    rows (B, d): the rows kept, the most used ones first. numbers (B,) int32: the number of each row among
    all buckets. parts: how words are cut and hashed.
    start, scale: for files joined side by side, the column at which this table's values start, and their
    factor. Errors: ValueError for arrays that do not belong together.
    """

    rows: Rows
    numbers: NDArray[np.int32]
    parts: Parts
    start: int = 0
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Check that the arrays belong together, and sort the numbers for binary search."""
        numbers = np.asarray(self.numbers)
        if numbers.shape != (len(self.rows),) or numbers.dtype != np.int32 or self.start < 0:
            raise ValueError(f"found {numbers.shape} numbers for rows {self.rows.shape}")
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < self.parts.buckets:
            raise ValueError("found a row's number beyond the last")
        order = np.argsort(numbers, kind="stable")
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_sorted", numbers[order].astype(np.int64))

    def __reduce__(self) -> tuple[type[Subwords], tuple[Any, ...]]:
        """Pickle the fields alone; the sorted numbers are computed again."""
        return Subwords, (self.rows, self.numbers, self.parts, self.start, self.scale)

    @property
    def width(self) -> int:
        """The width d of a row."""
        return int(self.rows.shape[1])

    def compose(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors (n, d) of words, and which words have one, (n,): at least one part has a row."""
        vectors = np.zeros((len(words), self.width), dtype=np.float32)
        known = np.zeros(len(words), dtype=np.bool_)
        if not len(self.rows):
            return vectors, known
        places: NDArray[np.int64] = getattr(self, "_sorted")  # noqa: B009
        order: NDArray[np.int64] = getattr(self, "_order")  # noqa: B009
        for i, numbers in enumerate(self.parts.numbers(words)):
            at = np.minimum(np.searchsorted(places, numbers), len(places) - 1)
            rows = order[at[places[at] == numbers]]
            if len(rows):
                known[i] = True
                # One word at a time, so that its vector does not depend on the others'.
                vectors[i] = np.asarray(self.rows[rows]).sum(axis=0, dtype=np.float32)
                vectors[i] *= np.float32(self.scale / len(rows))
        return vectors, known

    def first(self, count: int) -> Subwords:
        """Return a table of the `count` most used rows."""
        return replace(self, rows=self.rows[:count], numbers=self.numbers[:count])

    def stored_as(self, dtype: str) -> Subwords:
        """Return the table with rows of dtype float16 or int8. Errors: as in CompressedRows.of."""
        rows = self.rows
        if isinstance(rows, (np.ndarray, CompressedRows)):
            rows = CompressedRows.of(rows, dtype)
        return replace(self, rows=rows)


class Composer:
    """Compose vectors (v,) of words from their parts; v columns may come from several files side by side.

    base (v,): the vector of the unknown word. It fills the columns of files that have no part of a word.
    """

    def __init__(self, base: NDArray[np.float32], tables: Iterable[Subwords]) -> None:
        self.base, self.tables = base, tuple(tables)

    def compose(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors (n, v) of words, and which are composed, (n,). The others are the base."""
        vectors = np.tile(np.asarray(self.base, dtype=np.float32), (len(words), 1))
        composed = np.zeros(len(words), dtype=np.bool_)
        for table in self.tables:
            own, known = table.compose(words)
            vectors[known, table.start : table.start + table.width] = own[known]
            composed |= known
        return vectors, composed

    def knows(self, word: str) -> bool:
        """Tell whether a word's vector can be composed."""
        return bool(self.compose([word])[1][0])


_NAME, _NUMBERS = "subwords.", ".numbers"


def subword_arrays(tables: Sequence[Subwords]) -> dict[str, NDArray[Any]]:
    """Return the arrays in which tables are stored, by name."""
    arrays: dict[str, NDArray[Any]] = {}
    for i, table in enumerate(tables):
        arrays |= arrays_of(f"{_NAME}{i}", table.rows)
        arrays[f"{_NAME}{i}{_NUMBERS}"] = table.numbers
    return arrays


def subword_notes(tables: Sequence[Subwords]) -> list[dict[str, Any]]:
    """Return the settings of tables that are stored in JSON beside their arrays."""
    return [{**asdict(table.parts), "start": table.start, "scale": table.scale} for table in tables]


def subwords_in(
    arrays: Mapping[str, NDArray[Any]], notes: Sequence[Mapping[str, Any]]
) -> list[Subwords]:
    """Return the tables stored in arrays, with their settings `notes`: the inverse of subword_arrays.

    Errors: ValueError, KeyError, TypeError for arrays and settings that don't fit.
    """
    own = {name: array for name, array in arrays.items() if name.startswith(_NAME)}
    tables = tables_in(own)
    found = []
    for i, note in enumerate(notes):
        values = dict(note)
        start, scale = int(values.pop("start")), float(values.pop("scale"))
        numbers = np.asarray(own[f"{_NAME}{i}{_NUMBERS}"])
        found.append(Subwords(tables[f"{_NAME}{i}"], numbers, Parts(**values), start, scale))
    return found
