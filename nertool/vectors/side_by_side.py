"""Several tables of vectors as one: a word's row is its vectors from each, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.vectors.lookup import Vocabulary

_RARE = 10_000  # words at the end of a file, whose mean stands for an unknown word


class Table(NamedTuple):
    """Words, the most frequent first, with their vectors (V, d)."""

    words: list[str]
    matrix: NDArray[np.float32]


def side_by_side(tables: Sequence[Table]) -> Table:
    """Join tables: all their words, each with its vectors from every table in one row.

    In each table a word is looked up as a text's words are; where a table lacks it, it has the mean of the
    table's rare words. The words are those of the first table, then those that the next ones add. Tables
    after the first are scaled to the spread of its values.
    """
    if len(tables) == 1:
        return tables[0]
    words = list(dict.fromkeys(word for table in tables for word in table.words))
    spread = _spread(tables[0].matrix)
    parts = []
    for table in tables:
        found = Vocabulary(dict(zip(table.words, range(len(table.words)), strict=True)))
        places = [found.find(word) for word in words]
        rows = np.array([-1 if place is None else place[1] for place in places])
        part = table.matrix[np.maximum(rows, 0)]
        part[rows < 0] = table.matrix[-_RARE:].mean(axis=0)
        parts.append(part * np.float32(spread / _spread(table.matrix)))
    return Table(words, np.concatenate(parts, axis=1))


def _spread(matrix: NDArray[np.float32]) -> float:
    return float(matrix[:_RARE].std()) or 1.0
