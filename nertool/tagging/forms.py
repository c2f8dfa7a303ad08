"""The word types that a tagger has met, each with its row numbers in the lookup tables.

A text's words cost more than its tokens: what is found for a word type is kept. With each combination of
gazetteers' marks that it has, a word type is a form of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids
from nertool.inputs.encoder import Encoder
from nertool.inputs.text import Text
from nertool.inputs.word_types import WordTypes
from nertool.network.activations import Array

PADDINGS = 2  # the forms 0 and 1: what stands before a sentence, and after it
_LISTED_BYTES = 32 << 20  # of the list of each word's row (rows.py); it bounds the forms
MOST_FORMS = 1 << 19  # word types that are remembered
_COMPOSED_BYTES = 64 << 20  # of the vectors of forms that L lacks; it bounds the forms, too


class Forms:
    """The word types that encoders have met, each with a number; 0 and 1 are the paddings'.

    The encoders differ in their vectors alone: features, memory and gazetteers are the model's. ids
    (forms, F) int32: row numbers in the lookup tables, L's first, which is the first encoder's;
    vector_rows: for each encoder its rows of L, (forms,) int32; composed: for each the vectors (Q, v) of
    forms that L lacks, whose rows are beyond its last one. age: how often all were forgotten. most:
    how many are remembered, if no list of words is longer.

    Whatever can fail happens before the first change. A change that is interrupted all the same (by
    Ctrl-C, or for lack of memory) leaves a mark, and the next call starts with nothing remembered.
    """

    def __init__(self, encoders: Sequence[Encoder], contexts: int, most: int = MOST_FORMS) -> None:
        """contexts: in how many combinations of contexts a form may be distinguished."""
        self._encoders = encoders
        gazetteers = encoders[0].gazetteers
        self._lists = len(gazetteers.names) if gazetteers else 0
        self.most = min(most, _LISTED_BYTES // (4 * contexts))
        widths = sum(len(own.composer.base) for own in encoders if own.composer is not None)
        if widths:
            self.most = min(self.most, _COMPOSED_BYTES // (4 * widths))
        self.age = -1
        self._forget()

    def _forget(self) -> None:
        self._changing = True
        self.age += 1
        self._numbers: dict[str, int] = {}
        self._marked: dict[tuple[str, bytes], int] = {}
        self.ids = self._unmarked(self._encoders[0].padding)
        self.vector_rows = [self.ids[:, 0]] * len(
            self._encoders
        )  # the paddings' are the same in all
        self.composed = [np.empty((0, 0), dtype=np.float32) for _ in self._encoders]
        self._last: tuple[WordTypes | None, Ids] = (None, np.empty(0, dtype=np.int32))
        self._changing = False

    def numbers_of(self, words: Sequence[str]) -> Ids:
        """Return each word type's number, (n,) int32, adding those not met before."""
        if self._changing:
            self._forget()
        # A list that only grew since it was last asked about: what is new in it is enough.
        grown = words is self._last[0]
        begun = self._last[1] if grown else np.empty(0, dtype=np.int32)
        added = words[len(begun) :]
        new = list(dict.fromkeys(word for word in added if word not in self._numbers))
        # While a list grows, nothing is forgotten: all of it would have to be met again.
        if not grown and self._numbers and len(self.ids) + len(new) - PADDINGS > self.most:
            self._forget()
            new = list(dict.fromkeys(added))
        first = len(self.ids)
        new_numbers = dict(zip(new, range(first, first + len(new)), strict=True))
        ids, vector_rows, composed = self.ids, self.vector_rows, self.composed
        if new:
            ids, vector_rows, composed = self._with(new)
        known = self._numbers
        numbers = np.array(
            [known[w] if w in known else new_numbers[w] for w in added]
            if new
            else [known[w] for w in added],
            dtype=np.int32,
        )
        numbers = np.concatenate([begun, numbers])
        last = (words if isinstance(words, WordTypes) else None, numbers)

        self._changing = True
        known.update(new_numbers)
        self.ids, self.vector_rows, self.composed = ids, vector_rows, composed
        self._last = last
        self._changing = False
        return numbers

    def _with(
        self, words: Sequence[str], marks: Ids | None = None
    ) -> tuple[Ids, list[Ids], list[Array]]:
        """Return ids, vector_rows and composed with those of more word types; marks (n, lists)."""
        first, *others = self._encoders
        encoded = first.encode(words)
        ids = self._unmarked(encoded.ids)
        if marks is not None:
            ids[:, -self._lists :] = marks
        vector_rows, composed = [], []
        new = [(ids[:, 0], encoded.composed), *(own.vector_rows(words) for own in others)]
        for i, (rows, vectors) in enumerate(new):
            known = self.composed[i]
            if len(vectors):
                rows = np.where(rows >= len(self._encoders[i]), rows + np.int32(len(known)), rows)
                known = np.concatenate([known, vectors]) if len(known) else vectors
            vector_rows.append(np.concatenate([self.vector_rows[i], rows]))
            composed.append(known)
        return np.concatenate([self.ids, ids]), vector_rows, composed

    def _unmarked(self, ids: Ids) -> Ids:
        """Return an encoder's row numbers (n, F') with those of the gazetteers' marks: none."""
        return np.pad(ids, ((0, 0), (0, self._lists))) if self._lists else ids

    def numbers_of_marked(self, words: Sequence[str], marks: Ids) -> Ids:
        """Return the numbers (n,) of word types that gazetteers mark, adding those not met before.

        marks (n, lists): as Gazetteers.rows has them. To be called after numbers_of: it forgets nothing.
        """
        keys = [(word, own.tobytes()) for word, own in zip(words, marks, strict=True)]
        new = [i for i, key in enumerate(keys) if key not in self._marked]
        if new:
            numbers = range(len(self.ids), len(self.ids) + len(new))
            ids, vector_rows, composed = self._with([words[i] for i in new], marks[new])

            self._changing = True
            self._marked.update(zip((keys[i] for i in new), numbers, strict=True))
            self.ids, self.vector_rows, self.composed = ids, vector_rows, composed
            self._changing = False
        return np.array([self._marked[key] for key in keys], dtype=np.int32)


class Marked(NamedTuple):
    """The tokens that gazetteers mark: tokens (n,); of_pair (n,): which pair of a word and its marks each is;
    words, marks (pairs, lists): the distinct pairs."""

    tokens: NDArray[np.int64]
    of_pair: NDArray[np.int64]
    words: list[str]
    marks: Ids


def marked_tokens(text: Text, rows: Ids) -> Marked | None:
    """Gather the tokens with marks in rows (N, lists), as Gazetteers.rows has them; None if none has."""
    tokens = np.flatnonzero(rows.any(axis=1))
    if not len(tokens):
        return None
    keys = np.concatenate([text.word_ids[tokens, None], rows[tokens]], axis=1)
    order = np.lexsort(keys.T[::-1])
    first = np.append(True, (np.diff(keys[order], axis=0) != 0).any(axis=1))
    of_pair = np.empty(len(tokens), dtype=np.int64)
    of_pair[order] = np.cumsum(first) - 1
    pairs = keys[order[first]]
    return Marked(tokens, of_pair, [text.words[i] for i in pairs[:, 0].tolist()], pairs[:, 1:])
