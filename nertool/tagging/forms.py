"""A cache of word types with their row numbers in the lookup tables.

Looking up the words of a text costs more than the rest of tagging, so the results are kept. A *form* is a
word type together with one combination of gazetteers' marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids
from nertool.files.wordlist import NumberedWords
from nertool.inputs.encoder import Encoder
from nertool.inputs.text import Text
from nertool.inputs.word_types import WordTypes
from nertool.network.activations import Array

PADDINGS = 2  # the forms 0 and 1 are the paddings before and after a sentence
MOST_FORMS = 1 << 19  # the number of word types in the cache
_NO_VECTORS = np.empty((0, 0), dtype=np.float32)
_COMPOSED_BYTES = 64 << 20  # the most memory for composed vectors, which also limits the forms


class _Grown:
    """An array that grows at its end. Its memory is doubled when it is full."""

    def __init__(self, begun: NDArray[Any]) -> None:
        self._room, self._used = begun, len(begun)

    @property
    def array(self) -> NDArray[Any]:
        """The entries added so far."""
        return self._room[: self._used]

    def add(self, more: NDArray[Any]) -> None:
        """Add entries (n, …)."""
        after = self._used + len(more)
        if after > len(self._room):
            room = np.empty((max(2 * self._used, after), *more.shape[1:]), dtype=self._room.dtype)
            room[: self._used] = self.array
            self._room = room
        self._room[self._used : after] = more
        self._used = after


class Forms:
    """A cache of forms, each with a number. The forms 0 and 1 are the paddings.

    encoders: the model's encoders, which differ only in their vectors. ids (forms, F) int32: row numbers in
    the lookup tables, of which the first column is the first encoder's row in L; vector_rows: for each
    encoder its rows in L (forms,) int32; composed: for each encoder the vectors (Q, v) of forms whose rows
    are beyond the end of L; age: how often the cache was emptied; most: the number of forms in the cache,
    which only a longer list of words exceeds.

    A flag is set while forms are added. If this fails or is interrupted (by Ctrl-C, or for lack of memory),
    the next call empties the cache first.
    """

    def __init__(self, encoders: Sequence[Encoder], most: int = MOST_FORMS) -> None:
        self._encoders = encoders
        gazetteers = encoders[0].gazetteers
        self._lists = len(gazetteers.names) if gazetteers else 0
        self.most = most
        widths = sum(len(own.composer.base) for own in encoders if own.composer is not None)
        if widths:
            self.most = min(self.most, _COMPOSED_BYTES // (4 * widths))
        self.age = -1
        self._forget()

    def _forget(self) -> None:
        self._changing = True
        self.age += 1
        self._types = NumberedWords()
        self._of_types = _Grown(np.empty(0, dtype=np.int32))  # the form of each word type
        self._marked: dict[tuple[str, bytes], int] = {}
        padding = self._unmarked(self._encoders[0].padding)
        self._ids = _Grown(padding)
        # The paddings have the same rows in all encoders.
        self._vector_rows = [_Grown(padding[:, 0]) for _ in self._encoders]
        self._composed: list[_Grown | None] = [None for _ in self._encoders]
        self._last: tuple[WordTypes | None, Ids] = (None, np.empty(0, dtype=np.int32))
        self._changing = False

    def __len__(self) -> int:
        return len(self._ids.array)

    @property
    def ids(self) -> Ids:
        """The row numbers of all forms, (forms, F) int32."""
        return self._ids.array

    def vector_rows(self, encoder: int) -> Ids:
        """Return the rows (forms,) of all forms in an encoder's L."""
        return self._vector_rows[encoder].array

    def composed(self, encoder: int) -> Array:
        """Return the composed vectors (Q, v) of forms that are not in an encoder's L."""
        vectors = self._composed[encoder]
        return _NO_VECTORS if vectors is None else vectors.array

    def numbers_of(self, words: Sequence[str]) -> Ids:
        """Return each word type's number (n,) int32. New word types are added."""
        if self._changing:
            self._forget()
        # If this is the list of the last call, it can only have grown: only its new words are looked up.
        grown = words is self._last[0]
        begun = self._last[1] if grown else np.empty(0, dtype=np.int32)
        first = len(begun)
        added = words.since(first) if isinstance(words, WordTypes) else words[first:]
        self._changing = True
        known = len(self._types)
        types = self._types.add(added)
        # While a list grows, the cache is not emptied: the whole list would have to be looked up again.
        new = len(self._types) - known
        if not grown and known and len(self) + new - PADDINGS > self.most:
            self._forget()
            self._changing = True
            known, types = 0, self._types.add(added)
            new = len(self._types)
        if new:
            self._of_types.add(np.arange(len(self), len(self) + new, dtype=np.int32))
            self._add(added if new == len(added) else _firsts(added, types, known))
        numbers: Ids = self._of_types.array[types]
        if first:
            numbers = np.concatenate([begun, numbers])
        self._last = (words if isinstance(words, WordTypes) else None, numbers)
        self._changing = False
        return numbers

    def _add(self, words: Sequence[str], marks: Ids | None = None) -> None:
        """Add forms of word types; marks (n, lists)."""
        first, *others = self._encoders
        encoded = first.encode(words)
        ids = self._unmarked(encoded.ids)
        if marks is not None:
            ids[:, -self._lists :] = marks
        new = [(encoded.ids[:, 0], encoded.composed), *(own.vector_rows(words) for own in others)]
        for i, (rows, vectors) in enumerate(new):
            known = self._composed[i]
            if len(vectors):
                if known is None:
                    self._composed[i] = _Grown(vectors)
                else:
                    length = len(self._encoders[i])
                    more = np.int32(len(known.array))
                    rows = np.where(rows >= length, rows + more, rows)
                    known.add(vectors)
            self._vector_rows[i].add(rows)
        self._ids.add(ids)

    def _unmarked(self, ids: Ids) -> Ids:
        """Return an encoder's row numbers (n, F') with columns of zeros, which mean no gazetteers' marks."""
        return np.pad(ids, ((0, 0), (0, self._lists))) if self._lists else ids

    def numbers_of_marked(self, words: Sequence[str], marks: Ids) -> Ids:
        """Return the numbers (n,) of word types with gazetteers' marks. New forms are added.

        marks (n, lists): as Gazetteers.rows returns them. Call it after numbers_of: it never empties the
        cache.
        """
        keys = [(word, own.tobytes()) for word, own in zip(words, marks, strict=True)]
        new = [i for i, key in enumerate(keys) if key not in self._marked]
        if new:
            numbers = range(len(self), len(self) + len(new))
            self._changing = True
            self._add([words[i] for i in new], marks[new])
            self._marked.update(zip((keys[i] for i in new), numbers, strict=True))
            self._changing = False
        return np.array([self._marked[key] for key in keys], dtype=np.int32)


def _firsts(words: Sequence[str], types: Ids, known: int) -> list[str]:
    """Return the word types with a number of `known` or more, each once. types (n,): the words' numbers."""
    # Numbers are given in the order of the words. So a word is new if its number exceeds all before it.
    highest = np.maximum.accumulate(np.maximum(types, known - 1))
    first = np.flatnonzero(np.diff(highest, prepend=known - 1))
    return [words[i] for i in first.tolist()]


class Marked(NamedTuple):
    """The tokens with gazetteers' marks.

    tokens (n,): their indices; of_pair (n,): the index of each token's pair of word and marks; words,
    marks (pairs, lists): the distinct pairs.
    """

    tokens: NDArray[np.int64]
    of_pair: NDArray[np.int64]
    words: list[str]
    marks: Ids


def marked_tokens(text: Text, rows: Ids) -> Marked | None:
    """Return the tokens with marks, or None if there are none. rows (N, lists): from Gazetteers.rows."""
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
