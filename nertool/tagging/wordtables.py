"""Tables with a row for each distinct word: the word's part of z at each position of a window.

A row of T is (slices, H). Slice c is T_c = r W_cᵀ, the part of z that comes from the word at window position
c. Networks with the side input `neighbours` (side.py) have two more slices: the products of the word's vector
before training as a left and as a right neighbour. V (combinations, C, H) has the same for the combinations
of contexts, V_c = k V_cᵀ; b is added at the centre.

All networks of a model number the rows in the same way, so that the words of a text are looked up only once.
There are two kinds of rows:

    kept     rows of the words that occur first: computed once, and kept until the tables are emptied
    passing  rows of words for which there is no memory left: computed again for each stretch of text. All
             networks use the same memory for them, one after the other

Frequent words occur early in a text, so most tokens use kept rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets
from nertool.inputs.windows import FIRST_TYPE, pad
from nertool.kernels.documents import lay_out_words
from nertool.kernels.keys import Keys
from nertool.kernels.library import CACHE_LINE, empty_lines
from nertool.tagging.forms import PADDINGS, Forms
from nertool.tagging.slices import Slices

_FILLED = 512  # rows that are computed at a time
# The share of memory for passing rows, 1/16. It is small: passing rows are for rare words, most of which
# occur in one stretch only. So little is computed twice if a text is cut into more stretches.
_PASSING_SHARE = 16
_PATIENCE = 4  # kept rows are dropped after this many times as many passing rows were computed


class Stretch(NamedTuple):
    """A stretch of a text.

    tokens: its n tokens; rows (n + …,): the row numbers (as in WordRows) of its words and paddings; contexts
    (n + …,): their combinations of contexts; centres (n,): the tokens' indices in these arrays; passing (p,):
    the words that have a row for this stretch only.
    """

    tokens: slice
    rows: Ids
    contexts: Ids
    centres: Offsets
    passing: Offsets


class WordTable:
    """The rows T (…, slices, H) of one network, and its V.

    first_passing: the index in T of the first passing row. Kept rows come before it.
    """

    def __init__(self, slices: Slices, forms: Forms, encoder: int) -> None:
        """Prepare an empty table. encoder: the index of the network's encoder in forms."""
        self._slices, self._forms, self._encoder = slices, forms, encoder
        self.V = slices.context_table()
        slots, H = slices.row_shape
        self.row_bytes: int = slots * H * slices.W.itemsize
        self.T = np.empty((0, slots, H), dtype=slices.W.dtype)
        self.first_passing = 0

    def place(self, room: NDArray[np.uint8], first_passing: int) -> None:
        """Set the memory (bytes,) for the rows."""
        self.first_passing = first_passing
        self.T = room.view(self.T.dtype).reshape(-1, *self.T.shape[1:])

    def fill(self, words: Offsets, first: int) -> None:
        """Compute the rows of words (numbers of forms), and write them to T from index `first` on."""
        sides, forms = self._slices.sides, self._forms
        _, C, H = self.V.shape
        W = self._slices.W.reshape(C * H, -1)
        for start in range(0, len(words), _FILLED):
            own = words[start : start + _FILLED]
            T = self.T[first + start : first + start + len(own)].reshape(len(own), -1)
            vector_rows = forms.vector_rows(self._encoder)[own]
            composed = forms.composed(self._encoder)
            R = self._slices.form_rows(forms.ids[own], vector_rows, composed)  # (n, d_1)
            np.matmul(R, W.T, out=T[:, : C * H])
            if sides is not None:
                L = self._slices.starting_vectors(vector_rows, composed)  # (n, v)
                L[own < PADDINGS] = 0.0  # a padding is not a neighbour
                np.matmul(L, sides.reshape(2 * H, -1).T, out=T[:, C * H :])


class WordRows:
    """The row numbers of words, the same for all tables: 0 … kept − 1, then those of passing rows.

    A flag marks unfinished changes, as in Forms. Steps that can fail come before it is set.
    """

    def __init__(
        self,
        tables: Sequence[WordTable],
        forms: Forms,
        table_bytes: int,
    ) -> None:
        """Divide the memory.

        table_bytes: the most memory for the rows of all tables. There is always room for the words of one
        window, even if this exceeds it.
        """
        self._tables, self._forms = tables, forms
        sizes = [table.row_bytes for table in tables]
        window = tables[0].V.shape[1] + 2
        self.passing = max(window, table_bytes // _PASSING_SHARE // max(sizes))
        self.kept = max(0, table_bytes - self.passing * max(sizes)) // sum(sizes)
        _share_memory(tables, self.kept, self.passing)
        self._kept_words = Keys()  # the words of the kept rows
        self._passed = 0  # passing rows computed since the kept rows were last dropped
        self._age = forms.age
        self._changing = False

    def _forget(self) -> None:
        self._changing = True
        self._kept_words.clear()
        self._passed, self._age = 0, self._forms.age
        self._changing = False

    def stretches(
        self, numbers: Ids, ids: Ids, contexts: Ids, sentence_starts: Offsets, m: int
    ) -> list[Stretch]:
        """Cut a text into stretches, and compute the kept rows of its words.

        The text gets m paddings before and after each sentence. A stretch has no more words without a kept
        row than there are passing rows. numbers[ids] (N,): the tokens' forms; contexts (N,): the numbers of
        their combinations of contexts. The result is valid until the next call.
        """
        # After the cache of forms was emptied, its numbers mean other forms. And many passing rows show that
        # the kept rows are no longer those of the frequent words.
        outdated = self._age != self._forms.age or self._passed > _PATIENCE * self.kept
        kept = self._kept_words
        if self._changing or (outdated and len(kept)):
            self._forget()
        self._age = self._forms.age
        laid = lay_out_words(numbers, ids, contexts, sentence_starts, m)
        if laid is None:
            padded = pad(numbers[ids] - np.int32(FIRST_TYPE), sentence_starts, m)
            around = np.zeros(len(padded.types), dtype=np.int32)
            around[padded.centres] = contexts
            laid = padded.types[:].astype(np.int64), around, padded.centres
        words, _, centres = laid
        rows = kept.find(words)
        missing = np.flatnonzero(rows < 0)
        if len(missing) and len(kept) < self.kept:
            self._keep(_distinct(words[missing])[: self.kept - len(kept)])
            rows[missing] = kept.find(words[missing])
        return list(self._cut(*laid, rows, m, slice(0, len(centres)))) if len(centres) else []

    def _keep(self, words: Offsets) -> None:
        """Compute rows of words that are not kept yet, in all tables, and keep them."""
        if not len(words):
            return
        for table in self._tables:
            table.fill(words, len(self._kept_words))
        self._kept_words.make_room(len(words))

        self._changing = True
        self._kept_words.add(words)
        self._changing = False

    def _cut(
        self, words: Offsets, contexts: Ids, centres: Offsets, rows: Ids, m: int, tokens: slice
    ) -> list[Stretch]:
        """Return tokens as one stretch, or as several if too many of their words have no kept row."""
        of_tokens = centres[tokens]
        if not len(of_tokens):
            return []
        own = slice(int(of_tokens[0]) - m, int(of_tokens[-1]) + m + 1)
        stretch_rows = rows[own]
        missing = np.flatnonzero(stretch_rows < 0)
        passing = _distinct(words[own][missing])
        if len(passing) > self.passing:
            half = (tokens.start + tokens.stop) // 2
            parts = slice(tokens.start, half), slice(half, tokens.stop)
            cut = [self._cut(words, contexts, centres, rows, m, part) for part in parts]
            return [stretch for stretches in cut for stretch in stretches]
        if len(passing):
            stretch_rows = stretch_rows.copy()
            place = np.searchsorted(passing, words[own][missing])
            stretch_rows[missing] = self.kept + place
            self._passed += len(passing)
        return [Stretch(tokens, stretch_rows, contexts[own], of_tokens - own.start, passing)]

    def rows_in(self, table: WordTable, stretch: Stretch) -> Ids:
        """Return the indices in T (n + …,) of a stretch's words, and compute its passing rows."""
        if not len(stretch.passing):
            return stretch.rows
        table.fill(stretch.passing, table.first_passing)
        shift = np.int32(table.first_passing - self.kept)
        return np.where(stretch.rows >= self.kept, stretch.rows + shift, stretch.rows)


def _share_memory(tables: Sequence[WordTable], kept: int, passing: int) -> None:
    """Give each table its own memory for kept rows, and all tables the same memory for passing rows.

    The rows of a table have the same size and are in one array. The tables' passing rows begin at the same
    address, so there may be a few unused bytes before them.
    """
    starts: list[int] = []  # the distance from the start of each table to the first passing row
    before = 0
    for table in tables:
        before = table.row_bytes * -(-(before + kept * table.row_bytes) // table.row_bytes)
        starts.append(before)
    # All memory is reserved at once: the system provides it only for rows that are written.
    needed = before + passing * max(t.row_bytes for t in tables)
    lead = -before % CACHE_LINE  # so that the first passing row begins at a cache line
    room = empty_lines((lead + needed,), np.uint8)[lead:]
    for table, start in zip(tables, starts, strict=True):
        first = before - start
        own = room[first : first + start + passing * table.row_bytes]
        table.place(own, start // table.row_bytes)


def _distinct(numbers: Offsets) -> Offsets:
    """Return the distinct numbers, ascending. np.unique does the same, but first imports masked arrays."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]
