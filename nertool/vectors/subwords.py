"""Vectors of words that no file lists, composed of the vectors of their parts, as fastText and floret do it.

A word is written between signs for its begin and end, such as <Haus>, and cut into all its runs of a few
letters: <Ha, Hau, aus, us>, <Hau, …. A hash gives each run the number of a row. The word's vector is the
mean of these rows (Bojanowski et al. 2017). A table may hold some of the rows only: then the mean is over
those.
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
_WORDS = 1000  # words that are hashed at a time


@dataclass(frozen=True)
class Parts:
    """How words are cut and hashed.

    kind: FASTTEXT, or FLORET, which hashes the whole word, too, and may take several rows for each part;
    least, most: letters of a part; buckets: how many rows there are in all; hashes: rows of each part; seed:
    of floret's hash; begin, end: the signs around a word. Errors: ValueError for impossible values.
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
        """Return the row numbers of each word's parts; a part that occurs twice has its rows twice."""
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
    """The rows of parts of words. rows (B, d): the most used ones first; numbers (B,): each one's number
    among all; parts: how words are cut.

    start and scale: where its values stand in a row that several files have side by side, and what they are
    multiplied by there. Errors: ValueError for arrays that do not belong together.
    """

    rows: Rows
    numbers: NDArray[np.int32]
    parts: Parts
    start: int = 0
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Check that the arrays belong together, and make the table from a number to its row."""
        numbers = np.asarray(self.numbers)
        if numbers.shape != (len(self.rows),) or numbers.dtype != np.int32 or self.start < 0:
            raise ValueError(f"found {numbers.shape} numbers for rows {self.rows.shape}")
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < self.parts.buckets:
            raise ValueError("found a row's number beyond the last")
        order = np.argsort(numbers, kind="stable")
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_sorted", numbers[order].astype(np.int64))

    def __reduce__(self) -> tuple[type[Subwords], tuple[Any, ...]]:
        """Pickle the fields alone: the order of the numbers is found anew."""
        return Subwords, (self.rows, self.numbers, self.parts, self.start, self.scale)

    @property
    def width(self) -> int:
        """d."""
        return int(self.rows.shape[1])

    def compose(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors (n, d) of words, and which have one, (n,): a part at least has a row."""
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
        """Return the `count` most used rows."""
        return replace(self, rows=self.rows[:count], numbers=self.numbers[:count])

    def stored_as(self, dtype: str) -> Subwords:
        """Return them with rows of another type: float16 or int8. Errors: as CompressedRows.of."""
        rows = self.rows
        if isinstance(rows, (np.ndarray, CompressedRows)):
            rows = CompressedRows.of(rows, dtype)
        return replace(self, rows=rows)


class Composer:
    """Vectors (v,) of words from their parts, for a table that may have several files side by side.

    base (v,): what stands in the columns of files that say nothing of a word: the unknown word's vector.
    """

    def __init__(self, base: NDArray[np.float32], tables: Iterable[Subwords]) -> None:
        self.base, self.tables = base, tuple(tables)

    def compose(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors (n, v) of words, and which are composed, (n,); the others have the base."""
        vectors = np.tile(np.asarray(self.base, dtype=np.float32), (len(words), 1))
        composed = np.zeros(len(words), dtype=np.bool_)
        for table in self.tables:
            own, known = table.compose(words)
            vectors[known, table.start : table.start + table.width] = own[known]
            composed |= known
        return vectors, composed

    def knows(self, word: str) -> bool:
        """Tell whether a word has a vector."""
        return bool(self.compose([word])[1][0])


_NAME, _NUMBERS = "subwords.", ".numbers"


def subword_arrays(tables: Sequence[Subwords]) -> dict[str, NDArray[Any]]:
    """Return the arrays that tables are stored as, by name."""
    arrays: dict[str, NDArray[Any]] = {}
    for i, table in enumerate(tables):
        arrays |= arrays_of(f"{_NAME}{i}", table.rows)
        arrays[f"{_NAME}{i}{_NUMBERS}"] = table.numbers
    return arrays


def subword_notes(tables: Sequence[Subwords]) -> list[dict[str, Any]]:
    """Return what has to be known of tables besides their arrays, ready for JSON."""
    return [{**asdict(table.parts), "start": table.start, "scale": table.scale} for table in tables]


def subwords_in(
    arrays: Mapping[str, NDArray[Any]], notes: Sequence[Mapping[str, Any]]
) -> list[Subwords]:
    """Return the tables that arrays hold. Errors: ValueError, KeyError, TypeError for what does not fit."""
    own = {name: array for name, array in arrays.items() if name.startswith(_NAME)}
    tables = tables_in(own)
    found = []
    for i, note in enumerate(notes):
        values = dict(note)
        start, scale = int(values.pop("start")), float(values.pop("scale"))
        numbers = np.asarray(own[f"{_NAME}{i}{_NUMBERS}"])
        found.append(Subwords(tables[f"{_NAME}{i}"], numbers, Parts(**values), start, scale))
    return found
