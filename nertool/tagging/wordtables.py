"""Tables with a row for each distinct word met so far: its share of z in each place around a token.

A row of T (slices, H): for each window position c what the word adds to z where it stands there; and,
for networks with the neighbours of a word's other occurrences as side inputs (side.py), what its
starting vector gives there as a left and as a right one. Words are distinguished by their forms,
T_c = r W_cᵀ; or by form and combination of contexts, half as many rows again, T_c = r W_cᵀ + V_c, so
that nothing is left to add for a token. V (combinations, C, H) is V_c = k V_cᵀ, with b in the centre's.

All networks of a model number their rows alike, so that a text's words are looked up once for all of them.
Rows are of two kinds:

    kept     the words met first: made once, and there from then on, until memory is given back
    passing  the words for which no room was left: made anew for each stretch of text, one network after
             the other, all in the same place

A text's frequent words are met early, so that most tokens find their rows made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets
from nertool.inputs.windows import PaddedText
from nertool.kernels.keys import Keys
from nertool.kernels.library import CACHE_LINE, empty_lines
from nertool.kernels.network import add_pairs
from nertool.tagging.forms import PADDINGS, Forms
from nertool.tagging.slices import Slices

_FILLED = 512  # rows that are made at a time
# One byte in so many is for passing rows. They are few: what they are made for is rare words, most of which
# stand in one stretch alone, so that little is made twice where a text is cut into more stretches.
_PASSING_SHARE = 16
_PATIENCE = 4  # kept rows are forgotten once so many times as many passing ones were made


class Stretch(NamedTuple):
    """A stretch of a text: its tokens; rows and contexts (n + …,), of its words with the paddings among them,
    the rows numbered as in WordRows; centres (n,): where its tokens stand in these; passing (p,): the words
    with a row for this stretch alone."""

    tokens: slice
    rows: Ids
    contexts: Ids
    centres: Offsets
    passing: Offsets


class WordTable:
    """The rows T (…, slices, H) of one network, and its V.

    by_context: whether rows are of forms in a combination of contexts, or of forms alone. first_passing: the
    number of the first passing row in T; the kept ones come before.
    """

    def __init__(self, slices: Slices, forms: Forms, encoder: int, by_context: bool) -> None:
        """encoder: the number of the network's encoder among the forms'."""
        self._slices, self._forms, self._encoder = slices, forms, encoder
        self.by_context = by_context
        self.V = slices.context_table()
        self._contexts = len(self.V) if by_context else 1
        slots, H = slices.row_shape
        self.row_bytes: int = slots * H * slices.W.itemsize
        self.T = np.empty((0, slots, H), dtype=slices.W.dtype)
        self.first_passing = 0

    def place(self, room: NDArray[np.uint8], first_passing: int) -> None:
        """Take the memory (bytes,) for the rows."""
        self.first_passing = first_passing
        self.T = room.view(self.T.dtype).reshape(-1, *self.T.shape[1:])

    def fill(self, words: Offsets, first: int) -> None:
        """Write the rows of words, as numbered in WordRows, into those of T from `first` on."""
        V, sides, forms = self.V, self._slices.sides, self._forms
        _, C, H = V.shape
        W = self._slices.W.reshape(C * H, -1)
        for start in range(0, len(words), _FILLED):
            of_words, contexts = np.divmod(words[start : start + _FILLED], self._contexts)
            T = self.T[first + start : first + start + len(of_words)].reshape(len(of_words), -1)
            # A form in several contexts is multiplied once.
            own, slot = _distinct_of(of_words)
            repeated = len(own) < len(of_words)
            vector_rows = forms.vector_rows(self._encoder)[own]
            composed = forms.composed(self._encoder)
            R = self._slices.form_rows(forms.ids[own], vector_rows, composed)  # (n, d_1)
            if not self.by_context:
                np.matmul(R, W.T, out=T[:, : C * H])
            elif not add_pairs(T[:, : C * H], R @ W.T, slot, V.reshape(-1, C * H), contexts):
                np.add((R @ W.T)[slot], V[contexts].reshape(-1, C * H), out=T[:, : C * H])
            if sides is not None:
                L = self._slices.starting_vectors(vector_rows, composed)  # (n, v)
                L[own < PADDINGS] = 0.0  # nothing stands beyond a sentence's ends
                if repeated:
                    np.take(L @ sides.reshape(2 * H, -1).T, slot, axis=0, out=T[:, C * H :])
                else:
                    np.matmul(L, sides.reshape(2 * H, -1).T, out=T[:, C * H :])


class WordRows:
    """The numbers of the words' rows, the same for all tables: 0 … kept − 1, then the passing ones.

    Changes are made as in Forms: what can fail comes first.
    """

    def __init__(
        self,
        tables: Sequence[WordTable],
        forms: Forms,
        table_bytes: int,
    ) -> None:
        """table_bytes: the most memory for the rows of all tables, but for a window's words, which always
        have room."""
        self._tables, self._forms = tables, forms
        self._contexts = len(tables[0].V) if tables[0].by_context else 1
        sizes = [table.row_bytes for table in tables]
        window = tables[0].V.shape[1] + 2
        self.passing = max(window, table_bytes // _PASSING_SHARE // max(sizes))
        self.kept = max(0, table_bytes - self.passing * max(sizes)) // sum(sizes)
        _share_memory(tables, self.kept, self.passing)
        self._kept_words = Keys()  # the words of the kept rows
        self._passed = 0  # passing rows made since the kept ones were forgotten
        self._age = forms.age
        self._changing = False

    def _forget(self) -> None:
        self._changing = True
        self._kept_words.clear()
        self._passed, self._age = 0, self._forms.age
        self._changing = False

    def stretches(self, forms: Ids, contexts: Ids, padded: PaddedText) -> list[Stretch]:
        """Cut a text into stretches with few enough words that have no row yet, and make the kept rows.

        forms, contexts (P,): the numbers of the padded text's forms and of their combinations of contexts.
        What is returned holds until the next call.
        """
        # The same numbers mean other forms after they were forgotten. And what was met first is no longer
        # what is frequent, if there is much that has to pass.
        outdated = self._age != self._forms.age or self._passed > _PATIENCE * self.kept
        kept = self._kept_words
        if self._changing or (outdated and len(kept)):
            self._forget()
        self._age = self._forms.age
        words = forms.astype(np.int64)
        if self._contexts > 1:
            words *= self._contexts
            words += contexts
        rows = kept.find(words)
        missing = np.flatnonzero(rows < 0)
        if len(missing) and len(kept) < self.kept:
            self._keep(_distinct(words[missing])[: self.kept - len(kept)])
            rows[missing] = kept.find(words[missing])
        whole = slice(0, len(padded.centres))
        return list(self._cut(words, rows, contexts, padded, whole)) if len(rows) else []

    def _keep(self, words: Offsets) -> None:
        """Make the rows of words that are not kept yet, in all tables."""
        if not len(words):
            return
        for table in self._tables:
            table.fill(words, len(self._kept_words))
        self._kept_words.make_room(len(words))

        self._changing = True
        self._kept_words.add(words)
        self._changing = False

    def _cut(
        self, words: Offsets, rows: Ids, contexts: Ids, padded: PaddedText, tokens: slice
    ) -> list[Stretch]:
        """Return some tokens as one stretch, or, with too many words that have no row, as several."""
        centres, m = padded.centres[tokens], padded.m
        if not len(centres):
            return []
        own = slice(int(centres[0]) - m, int(centres[-1]) + m + 1)
        stretch_rows = rows[own]
        missing = np.flatnonzero(stretch_rows < 0)
        passing = _distinct(words[own][missing])
        if len(passing) > self.passing:
            half = (tokens.start + tokens.stop) // 2
            parts = slice(tokens.start, half), slice(half, tokens.stop)
            return [s for part in parts for s in self._cut(words, rows, contexts, padded, part)]
        if len(passing):
            stretch_rows = stretch_rows.copy()
            place = np.searchsorted(passing, words[own][missing])
            stretch_rows[missing] = self.kept + place
            self._passed += len(passing)
        return [Stretch(tokens, stretch_rows, contexts[own], centres - own.start, passing)]

    def rows_in(self, table: WordTable, stretch: Stretch) -> Ids:
        """Return the rows of T, (n + …,), of a stretch's words; those that pass are made."""
        if not len(stretch.passing):
            return stretch.rows
        table.fill(stretch.passing, table.first_passing)
        shift = np.int32(table.first_passing - self.kept)
        return np.where(stretch.rows >= self.kept, stretch.rows + shift, stretch.rows)


def _share_memory(tables: Sequence[WordTable], kept: int, passing: int) -> None:
    """Give each table memory for its kept rows, and to all the same for the passing ones.

    A table's rows are as long as its network is wide, and lie in one array: so a few bytes are left between
    the last kept row and the first passing one, to begin this where the others' begin, too.
    """
    starts: list[int] = []  # where each table begins, counted back from the first passing row
    before = 0
    for table in tables:
        before = table.row_bytes * -(-(before + kept * table.row_bytes) // table.row_bytes)
        starts.append(before)
    # All at once: the system gives memory to those rows alone that are written.
    needed = before + passing * max(t.row_bytes for t in tables)
    lead = -before % CACHE_LINE  # so that the first passing row begins a line
    room = empty_lines((lead + needed,), np.uint8)[lead:]
    for table, start in zip(tables, starts, strict=True):
        first = before - start
        own = room[first : first + start + passing * table.row_bytes]
        table.place(own, start // table.row_bytes)


def _distinct_of(ascending: Offsets) -> tuple[Offsets, NDArray[np.int64]]:
    """Return the distinct ones (m,) of numbers (n,) that ascend, and the place of each among these (n,)."""
    begins = np.diff(ascending, prepend=-1) > 0
    return ascending[begins], np.cumsum(begins) - 1


def _distinct(numbers: Offsets) -> Offsets:
    """Return the distinct ones (n,) in order: as np.unique, which first loads numpy's masked arrays."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]
