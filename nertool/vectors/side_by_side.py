"""Join several tables of vectors: a word's row is the concatenation of its vectors from all tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.vectors.lookup import HYPHEN, SPELLINGS, SUBWORDS, SUFFIX, Vocabulary
from nertool.vectors.subwords import Subwords

RARE = 10_000  # words at the end of a file; the mean of their vectors represents an unknown word


class Table(NamedTuple):
    """V words, the most frequent first, with their vectors (V, d). subwords: the rows of parts of words."""

    words: list[str]
    matrix: NDArray[np.float32]
    subwords: tuple[Subwords, ...] = ()


def side_by_side(tables: Sequence[Table], steps: Collection[str] = SPELLINGS) -> Table:
    """Join tables into one with all their words, where a row has a word's vectors from every table.

    In each table a word is looked up by the spellings among the steps. If a table does not have the word, its
    vector is composed from the table's parts of words, if possible. Otherwise it is the mean vector of the
    table's rare words. Words are in the order of the first table, then those that further tables add. Tables
    after the first are scaled to the standard deviation of the first.
    """
    if len(tables) == 1:
        return tables[0]
    words = list(dict.fromkeys(word for table in tables for word in table.words))
    spread = _spread(tables[0])
    spelt = frozenset(steps) - {HYPHEN, SUFFIX}
    parts, subwords, start = [], [], 0
    for table in tables:
        found = Vocabulary(dict(zip(table.words, range(len(table.words)), strict=True)), spelt)
        places = [found.find(word) for word in words]
        rows = np.array([-1 if place is None else place[1] for place in places], dtype=np.int64)
        d = table.matrix.shape[1]
        part = np.zeros((len(words), d), dtype=np.float32)
        part[rows >= 0] = table.matrix[rows[rows >= 0]]
        lacking = np.flatnonzero(rows < 0)
        if len(table.matrix):
            part[lacking] = table.matrix[-RARE:].mean(axis=0)
        scale = spread / _spread(table)
        for own in table.subwords:
            if SUBWORDS in steps:
                vectors, known = own.compose([words[i] for i in lacking.tolist()])
                part[lacking[known]] = vectors[known]
            subwords.append(replace(own, start=start + own.start, scale=own.scale * scale))
        parts.append(part * np.float32(scale))
        start += d
    return Table(words, np.concatenate(parts, axis=1), tuple(subwords))


def _spread(table: Table) -> float:
    matrix = table.matrix[:RARE]
    if not len(matrix):
        matrix = np.asarray(table.subwords[0].rows[:RARE]) if table.subwords else matrix
    return float(matrix.std()) if matrix.size and matrix.any() else 1.0
